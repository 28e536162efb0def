import { useEffect, useState } from "preact/hooks";
import { formatBytes, formatDateTime, formatNumber } from "../lib/format";
import { t } from "../lib/i18n";
import type { Problem } from "../lib/messages";
import { fileDetails, type FileDetails } from "../lib/messages_browsers";
import { notUnderstood, problemOf, type Requests } from "../lib/requests";
import { is } from "../lib/shape";
import { visible } from "../lib/text";
import { CopyButton } from "./CopyButton";
import { Pane } from "./Pane";
import { Problems } from "./Problems";

/** Everything the platform knows of one file. */
export function FileDetailsView({ id, requests, close }: { id: string; requests: Requests; close: () => void }) {
  const [file, setFile] = useState<FileDetails | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    const asking = new AbortController();
    requests
      .call("details", { id }, asking.signal)
      .then((answer) => {
        if (!is(fileDetails, answer)) throw notUnderstood();
        setFile(answer);
      })
      .catch((reason) => asking.signal.aborted || setProblem(problemOf(reason)));
    return () => asking.abort();
  }, [id]);
  return (
    <Pane title={file ? visible(file.name, 300) : t("File")} close={close}>
      <Problems of={[problem]} />
      {file && (
        <dl class="dnb-facts-list">
          <dt>{t("Size")}</dt>
          <dd>
            {formatBytes(file.size)} {file.size >= 1000 && <span class="dnb-muted">{t("({count} bytes)", { count: formatNumber(file.size) })}</span>}
          </dd>
          <dt>{t("Created")}</dt>
          <dd>{formatDateTime(file.created_at)}</dd>
          <dt>{t("File id")}</dt>
          <dd>
            <code>{file.file_id}</code> <CopyButton text={file.file_id} label={t("Copy file id")} />
          </dd>
          {file.meta.map(([key = "", value = ""], index) => (
            <>
              <dt key={`${index} key`}>
                <bdi>{visible(key, 80)}</bdi>
              </dt>
              <dd key={`${index} value`}>
                <bdi>{visible(value, 600)}</bdi>
              </dd>
            </>
          ))}
          {!file.meta.length && (
            <>
              <dt>{t("Metadata")}</dt>
              <dd class="dnb-muted">{t("none")}</dd>
            </>
          )}
        </dl>
      )}
      {file && file.more > 0 && <p class="dnb-muted">{t("and {count} more metadata entries", { count: formatNumber(file.more) })}</p>}
    </Pane>
  );
}
