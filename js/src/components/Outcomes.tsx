import { useEffect, useRef, useState } from "preact/hooks";
import { formatNumber } from "../lib/format";
import { rich, t } from "../lib/i18n";
import type { Problem } from "../lib/messages";
import { outcomesResult, type Outcome, type SessionRow } from "../lib/messages_browsers";
import { notUnderstood, problemOf, type Requests } from "../lib/requests";
import { is } from "../lib/shape";
import { visible } from "../lib/text";
import { Icon, type IconName } from "./Icon";
import { Problems } from "./Problems";

const MOST = 1_000; // rows; more would only slow the page down

type Status = "" | "FAILED" | "PENDING" | "FINISHED";
type Page = { rows: Outcome[]; total: number | null; more: boolean; chunk: number };

const words = (): Record<string, { icon: IconName; label: string }> => ({
  FINISHED: { icon: "ok", label: t("ingested") },
  FAILED: { icon: "fail", label: t("failed") },
  PENDING: { icon: "wait", label: t("waiting") },
});

/** What became of each file of a session, page by page; the failed ones first where there are any. */
export function Outcomes({ row, requests }: { row: SessionRow; requests: Requests }) {
  const [status, setStatus] = useState<Status>(row.counts?.failed ? "FAILED" : "");
  const [page, setPage] = useState<Page | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const asking = useRef<AbortController | null>(null);
  const fetch = async (chunk: number, before: Outcome[]) => {
    asking.current?.abort();
    const mine = (asking.current = new AbortController());
    setProblem(null);
    try {
      const answer = await requests.call("outcomes", { id: row.session_id, status, chunk }, mine.signal);
      if (!is(outcomesResult, answer)) throw notUnderstood();
      setPage({ rows: [...before, ...answer.rows], total: answer.total, more: answer.has_more, chunk });
    } catch (reason) {
      if (!mine.signal.aborted) setProblem(problemOf(reason));
    }
  };
  const { counts } = row;
  useEffect(() => {
    void fetch(0, []);
    return () => asking.current?.abort();
  }, [status, counts?.finished, counts?.failed, counts?.pending]);

  const chips: [Status, string][] = [
    ["", t("All")],
    ["FAILED", t("Failed")],
    ["PENDING", t("Waiting")],
    ["FINISHED", t("Ingested")],
  ];
  return (
    <>
      <div class="dnb-chips" role="group" aria-label={t("Outcome")}>
        {chips.map(([value, label]) => (
          <button key={value} type="button" class="dnb-chip-button" aria-pressed={status === value} onClick={() => setStatus(value)}>
            {label}
          </button>
        ))}
      </div>
      <Problems of={[problem]} />
      {!page && !problem && <p class="dnb-muted">{t("Asking the platform…")}</p>}
      {page && !page.rows.length && <p class="dnb-muted">{t("No files here.")}</p>}
      {page && page.rows.length > 0 && <Table rows={page.rows} />}
      {page && page.rows.length > 0 && (
        <p class="dnb-foot">
          <span class="dnb-muted" role="status">
            {page.total === null
              ? t("{shown} shown", { shown: formatNumber(page.rows.length) })
              : t("{shown} of {total}", { shown: formatNumber(page.rows.length), total: formatNumber(page.total) })}
          </span>
          {page.more && page.rows.length < MOST && (
            <button type="button" class="dnb-button" onClick={() => void fetch(page.chunk + 1, page.rows)}>
              {t("Show more")}
            </button>
          )}
          {page.more && page.rows.length >= MOST && <span class="dnb-muted">{rich("{code} has all of them", { code: <code>session.files</code> })}</span>}
        </p>
      )}
    </>
  );
}

function Table({ rows }: { rows: Outcome[] }) {
  const known = words();
  const reasons = rows.some((row) => row.reason);
  return (
    <div class="dnb-scroll" tabIndex={0} role="group" aria-label={t("Files of this session")}>
      <table class="dnb-table dnb-stack dnb-outcomes">
        <thead>
          <tr>
            <th scope="col">{t("File")}</th>
            <th scope="col">{t("Outcome")}</th>
            {reasons && <th scope="col">{t("What happened")}</th>}
            {reasons && <th scope="col">{t("What to do")}</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => {
            const { icon, label } = known[row.status] ?? { icon: "wait" as const, label: visible(row.status) };
            return (
              <tr key={index} class={`dnb-is-${row.status === "FAILED" ? "failed" : "other"}`}>
                <td class="dnb-name">
                  <bdi>{visible(row.name)}</bdi>
                </td>
                <td class="dnb-state">
                  <Icon name={icon} /> {label}
                </td>
                {reasons && <td>{visible(row.reason, 600)}</td>}
                {reasons && <td>{visible(row.remedy, 600)}</td>}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
