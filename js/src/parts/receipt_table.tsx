import { useEffect, useState } from "preact/hooks";
import { CopyButton } from "../components/CopyButton";
import { formatBytes, formatNumber } from "../lib/format";
import { t } from "../lib/i18n";
import { receiptResult, type JobState, type ReceiptResult, type ReceiptRow } from "../lib/messages";
import { ended } from "../lib/milestones";
import { problemOf, type Requests } from "../lib/requests";
import { is } from "../lib/shape";
import { visible } from "../lib/text";

export type ReceiptProps = { state: JobState; requests: Requests };

const ROWS = 20; // a page
const AGAIN_S = 2; // while the job runs

/** Every file of a job with its outcome, page by page: rows come from the kernel when they are looked at. */
export default function ReceiptTable({ state, requests }: ReceiptProps) {
  const [status, setStatus] = useState("");
  const [offset, setOffset] = useState(0);
  const [page, setPage] = useState<ReceiptResult | null>(null);
  const [problem, setProblem] = useState("");
  const moment = ended(state) ? state.headline : Math.floor(state.elapsed_s / AGAIN_S);
  useEffect(() => {
    const leaving = new AbortController();
    requests.call("receipt", { status, offset, limit: ROWS }, leaving.signal).then(
      (answer) => {
        if (leaving.signal.aborted || !is(receiptResult, answer)) return;
        setProblem("");
        setPage(answer);
        if (offset && offset >= answer.total) setOffset(0); // another job, or rows that have moved on
      },
      (reason) => leaving.signal.aborted || setProblem(problemOf(reason).message),
    );
    return () => leaving.abort();
  }, [requests, status, offset, moment]);
  if (!page) return <p class="dnb-muted">{problem}</p>;
  const words = outcomes();
  const last = Math.min(offset + ROWS, page.total);
  const all = Object.values(page.counts).reduce((sum, count) => sum + count, 0);
  return (
    <div class="dnb-receipt" role="group" aria-label={t("Receipt")}>
      <div class="dnb-turn">
        <label>
          <span class="dnb-muted">{t("Show")}</span>{" "}
          <select
            class="dnb-select"
            value={status}
            onChange={(event) => {
              setStatus(event.currentTarget.value);
              setOffset(0);
            }}
          >
            <option value="">{t("all: {count}", { count: formatNumber(all) })}</option>
            {Object.entries(page.counts)
              .filter(([name, count]) => count > 0 || name === status)
              .map(([name, count]) => (
                <option key={name} value={name}>
                  {`${words[name]}: ${formatNumber(count)}`}
                </option>
              ))}
          </select>
        </label>
        <span class="dnb-number" role="status">
          {page.total > 0 && t("{first} to {last} of {count}", { first: formatNumber(offset + 1), last: formatNumber(last), count: formatNumber(page.total) })}
        </span>
        <span class="dnb-buttons">
          <Turn words={t("Back")} off={offset === 0} onClick={() => setOffset(Math.max(0, offset - ROWS))} />
          <Turn words={t("Next")} off={last >= page.total} onClick={() => setOffset(offset + ROWS)} />
        </span>
      </div>
      {problem && <p class="dnb-muted">{problem}</p>}
      <div class="dnb-scroll" tabIndex={0} role="group" aria-label={t("Files and their outcomes")}>
        <table class="dnb-table dnb-stack">
          <thead>
            <tr>
              <th scope="col">{t("File")}</th>
              <th scope="col" class="dnb-number">
                {t("Size")}
              </th>
              <th scope="col">{t("Outcome")}</th>
            </tr>
          </thead>
          <tbody>
            {page.rows.map((row, index) => (
              <Row key={index} row={row} word={words[row.status] ?? visible(row.status)} />
            ))}
          </tbody>
        </table>
      </div>
      <p class="dnb-muted">
        {t("As a DataFrame:")} <code>{page.code}</code> <CopyButton text={page.code} label={t("Copy the code")} />
      </p>
    </div>
  );
}

function Row({ row, word }: { row: ReceiptRow; word: string }) {
  return (
    <tr>
      <td class="dnb-name">
        <bdi>{visible(row.path)}</bdi>
      </td>
      <td class="dnb-number">{formatBytes(row.size)}</td>
      <td>
        <span class={`dnb-outcome dnb-${row.status}`}>{word}</span>
        {row.reason && <> · {visible(row.reason, 600)}</>} {row.remedy && <span class="dnb-muted">{visible(row.remedy, 600)}</span>}
      </td>
    </tr>
  );
}

function Turn({ words, off, onClick }: { words: string; off: boolean; onClick: () => void }) {
  return (
    <button type="button" class="dnb-button" aria-disabled={off} onClick={() => off || onClick()}>
      {words}
    </button>
  );
}

const outcomes = (): Record<string, string> => ({
  pending: t("under way"),
  ok: t("ok"),
  failed: t("failed"),
  skipped: t("left out"),
  unaccounted: t("unaccounted"),
  cancelled: t("cancelled"),
});
