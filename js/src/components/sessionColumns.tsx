import { formatDateTime, formatRelative } from "../lib/format";
import { t } from "../lib/i18n";
import type { SessionRow } from "../lib/messages_browsers";
import { visible } from "../lib/text";
import { verdict } from "../lib/verdict";
import { CopyId } from "./CopyButton";
import type { Column } from "./Grid";
import { Icon, type IconName } from "./Icon";

export const statuses = (): Record<string, { icon: IconName; label: string }> => ({
  OPEN: { icon: "now", label: t("Open") },
  CLOSED: { icon: "ok", label: t("Closed") },
  EXPIRED: { icon: "stop", label: t("Expired") },
});

const none = () => <span class="dnb-muted">–</span>;

/** The columns of the session browser; the platform lists the newest first and sorts by nothing else. */
export function sessionColumns(now: number, current: (row: SessionRow) => SessionRow, ask: (row: SessionRow) => void): Column<SessionRow>[] {
  const names = statuses();
  const when = (iso: string) => <span title={formatDateTime(iso)}>{formatRelative(iso, now)}</span>;
  return [
    {
      key: "status",
      head: t("Status"),
      width: "122px",
      narrow: "var(--dnb-chip)",
      class: "dnb-first",
      cell: (given) => {
        const row = current(given);
        const { icon, label } = names[row.status] ?? { icon: "wait" as const, label: visible(row.status) };
        return (
          <span class={`dnb-chip dnb-is-${row.status === "OPEN" ? "open" : "over"}`}>
            <Icon name={icon} /> <span>{label}</span>
          </span>
        );
      },
    },
    {
      key: "verdict",
      head: t("Files"),
      width: "minmax(200px, 2fr)",
      narrow: "minmax(0, 1fr)",
      cell: (given) => {
        const said = verdict(current(given), now);
        return said ? <span class={`dnb-said-${said.tone}`}>{said.words}</span> : <span class="dnb-ghost" />;
      },
    },
    {
      key: "created",
      head: t("Created"),
      width: "124px",
      hint: t("The platform sorts by nothing else."),
      cell: (row) => when(row.created_at),
    },
    {
      key: "expires",
      head: t("Expires"),
      width: "116px",
      cell: (given) => {
        const row = current(given);
        return row.status === "OPEN" && row.expires_at ? when(row.expires_at) : none();
      },
    },
    { key: "by", head: t("By"), width: "minmax(112px, 1fr)", cell: (row) => (row.created_by ? <bdi>{visible(row.created_by, 60)}</bdi> : none()) },
    { key: "id", head: t("Session"), width: "112px", cell: (row) => <CopyId id={row.session_id} label={t("Copy session id")} /> },
    {
      key: "close",
      head: t("Actions"),
      spoken: true,
      width: "106px",
      class: "dnb-last",
      cell: (row) =>
        current(row).status === "OPEN" && (
          <button type="button" tabIndex={-1} class="dnb-button dnb-small" onClick={() => ask(row)}>
            {t("Close…")}
          </button>
        ),
    },
  ];
}
