import type { AnyModel } from "@anywidget/types";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatNumber } from "../lib/format";
import { plural, rich, t } from "../lib/i18n";
import type { Problem } from "../lib/messages";
import { deleteResult, deleting, type DeleteResult, type FileRow } from "../lib/messages_browsers";
import { notUnderstood, problemOf, type Requests } from "../lib/requests";
import { is } from "../lib/shape";
import type { Table } from "../lib/table";
import { visible } from "../lib/text";
import { Notice } from "./Notice";
import { Pane } from "./Pane";
import { Problems } from "./Problems";

const NAMED = 8;

type Props = { model: AnyModel; requests: Requests; table: Table<FileRow>; close: () => void };

/** Deleting cannot be undone: the number of files has to be typed. What did not go is named. */
export function DeleteFiles({ model, requests, table, close }: Props) {
  const ids = useMemo(() => [...table.selected], []); // exactly what was selected when it was asked for
  const names = useMemo(() => ids.slice(0, NAMED).map((id) => table.rows.find((row) => row.file_id === id)?.name ?? id), []);
  const [typed, setTyped] = useState("");
  const [done, setDone] = useState<number | null>(null);
  const [result, setResult] = useState<DeleteResult | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const asking = useRef<AbortController | null>(null);
  useEffect(() => {
    const heard = (message: unknown) => {
      if (is(deleting, message)) setDone(message.done);
    };
    model.on("msg:custom", heard);
    return () => model.off("msg:custom", heard);
  }, [model]);

  const can = typed.trim() === String(ids.length) && done === null;
  const run = async () => {
    if (!can) return;
    setDone(0);
    setProblem(null);
    try {
      const answer = await requests.call("delete", { ids, typed }, (asking.current = new AbortController()).signal);
      if (!is(deleteResult, answer)) throw notUnderstood();
      setResult(answer);
    } catch (reason) {
      setProblem(problemOf(reason));
    } finally {
      setDone(null);
    }
  };

  if (result) return <Deleted result={result} close={close} />;
  return (
    <Pane title={plural(ids.length, "Delete {count} file?", "Delete {count} files?")} close={close} tone="dnb-danger">
      <ul class="dnb-names">
        {names.map((name, index) => (
          <li key={index}>
            <bdi>{visible(name)}</bdi>
          </li>
        ))}
        {ids.length > NAMED && <li class="dnb-muted">{t("and {count} more", { count: formatNumber(ids.length - NAMED) })}</li>}
      </ul>
      <p>{t("They are gone from the platform then, for everybody, and this cannot be undone.")}</p>
      <div class="dnb-field">
        <label class="dnb-field">
          <span>
            {ids.length === 1
              ? rich("Type {count} to delete 1 file", { count: <b>1</b> })
              : rich("Type {count} to delete {count} files", { count: <b>{ids.length}</b> })}
          </span>
          <input
            data-first
            class="dnb-input dnb-short"
            type="text"
            inputMode="numeric"
            autocomplete="off"
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
            onKeyDown={(event) => event.key === "Enter" && void run()}
          />
        </label>
        <div class="dnb-buttons">
          <button type="button" class="dnb-button dnb-delete" aria-disabled={!can} onClick={() => void run()}>
            {done === null
              ? plural(ids.length, "Delete {count} file", "Delete {count} files")
              : t("Deleting {done} of {total}…", { done: formatNumber(done), total: formatNumber(ids.length) })}
          </button>
          <button type="button" class="dnb-button" onClick={() => (asking.current?.abort(), close())}>
            {done === null ? t("Keep them") : t("Keep the rest")}
          </button>
        </div>
      </div>
      <Problems of={[problem]} />
    </Pane>
  );
}

function Deleted({ result: { deleted, kept }, close }: { result: DeleteResult; close: () => void }) {
  return (
    <Pane title={plural(deleted, "{count} file deleted", "{count} files deleted")} close={close}>
      <span class="dnb-spoken" role="status">
        {plural(deleted, "{count} file deleted", "{count} files deleted")}
      </span>
      {kept.length > 0 && (
        <>
          <Notice tone="fail" message={plural(kept.length, "{count} file was not deleted.", "{count} files were not deleted.")} />
          <div class="dnb-scroll" tabIndex={0} role="group" aria-label={t("Files that were not deleted")}>
            <table class="dnb-table dnb-stack">
              <thead>
                <tr>
                  <th scope="col">{t("File")}</th>
                  <th scope="col">{t("What happened")}</th>
                </tr>
              </thead>
              <tbody>
                {kept.map((file) => (
                  <tr key={file.file_id}>
                    <td class="dnb-name">
                      <bdi>{visible(file.name)}</bdi>
                    </td>
                    <td>
                      {visible(file.error.message, 400)} <span class="dnb-muted">{visible(file.error.remedy, 400)}</span>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </Pane>
  );
}
