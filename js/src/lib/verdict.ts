// How an upload session stands, in words; widgets/static_tables.py says the same for readers without a kernel.
import { formatNumber } from "./format";
import { plural, t } from "./i18n";
import type { SessionCounts, SessionRow } from "./messages_browsers";

export type Verdict = { words: string; tone: "active" | "ok" | "fail" | "calm" };

export function verdict(row: SessionRow, now: number): Verdict | null {
  const { counts } = row;
  if (row.status === "OPEN") {
    const age = ageOf(row.created_at, now);
    if (now - Date.parse(row.created_at) < 60_000) return { words: t("just opened"), tone: "active" };
    const nothing = counts && counts.finished + counts.failed === 0;
    return { words: nothing ? t("open for {age}, nothing ingested yet", { age }) : t("open for {age}", { age }), tone: "active" };
  }
  if (!counts) return null;
  const done = counts.finished + counts.failed;
  const pending = counts.pending ?? 0;
  const values = { done: formatNumber(done), total: formatNumber(done + pending), failed: formatNumber(counts.failed) };
  if (pending && counts.failed) return { words: t("ingesting: {done} of {total} done, {failed} failed", values), tone: "active" };
  if (pending) return { words: t("ingesting: {done} of {total} done", values), tone: "active" };
  if (counts.failed) return { words: t("{failed} of {total} failed", values), tone: "fail" };
  if (done) return { words: plural(done, "{count} file ingested", "all {count} files ingested"), tone: "ok" };
  return { words: t("no files in it"), tone: "calm" };
}

/** Whether somebody who looks on would see something change. */
export const moves = (status: string, counts: SessionCounts | null): boolean =>
  status === "OPEN" || counts === null || (counts.pending ?? 0) > 0;

export function ageOf(iso: string, now: number): string {
  const minutes = Math.max(0, Math.floor((now - Date.parse(iso)) / 60_000));
  if (minutes < 60) return t("{count} min", { count: formatNumber(minutes) });
  if (minutes < 48 * 60) return t("{count} h", { count: formatNumber(Math.floor(minutes / 60)) });
  return t("{count} days", { count: formatNumber(Math.floor(minutes / 1440)) });
}
