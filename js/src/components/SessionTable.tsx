import { useEffect, useRef, useState } from "preact/hooks";
import { formatDateTime, formatRelative } from "../lib/format";
import type { Action } from "../lib/hooks";
import { t } from "../lib/i18n";
import type { SessionRow, WriteMode } from "../lib/messages";
import { modes } from "../lib/modes";
import { visible } from "../lib/text";
import { CopyButton } from "./CopyButton";
import { Icon, type IconName } from "./Icon";

const statuses = (): Record<string, { icon: IconName; label: string }> => ({
  OPEN: { icon: "now", label: t("Open") },
  CLOSED: { icon: "ok", label: t("Closed") },
  EXPIRED: { icon: "stop", label: t("Expired") },
});
const COLUMNS = 7;

type Props = { rows: SessionRow[]; now: number; action: Action };

export function SessionTable({ rows, now, action }: Props) {
  const [asking, setAsking] = useState<string | null>(null);
  return (
    <div class="dnb-scroll" tabIndex={0} role="group" aria-label={t("Upload sessions")}>
      <table class="dnb-table dnb-sessions">
        <thead>
          <tr>
            {[t("Status"), t("Created"), t("Expires"), t("By"), t("If a name is taken"), t("Session")].map((head) => (
              <th scope="col" key={head}>
                {head}
              </th>
            ))}
            <th scope="col">
              <span class="dnb-spoken">{t("Actions")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row
              key={row.session_id}
              row={row}
              now={now}
              action={action}
              asking={asking === row.session_id}
              ask={(yes) => setAsking(yes ? row.session_id : null)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

type RowProps = { row: SessionRow; now: number; action: Action; asking: boolean; ask: (yes: boolean) => void };

function Row({ row, now, action, asking, ask }: RowProps) {
  const { icon, label } = statuses()[row.status] ?? { icon: "wait" as const, label: visible(row.status) };
  const open = row.status === "OPEN";
  const button = useRef<HTMLButtonElement>(null);
  const back = () => {
    ask(false);
    button.current?.focus();
  };
  return (
    <>
      <tr class={`dnb-session-${open ? "open" : "other"} ${asking ? "dnb-asking" : ""}`}>
        <td>
          <span class="dnb-chip">
            <Icon name={icon} /> {label}
          </span>
        </td>
        <td title={formatDateTime(row.created_at)}>{formatRelative(row.created_at, now)}</td>
        <td title={row.expires_at ? formatDateTime(row.expires_at) : ""}>
          {open && row.expires_at ? formatRelative(row.expires_at, now) : <span class="dnb-muted">–</span>}
        </td>
        <td>
          <bdi>{visible(row.created_by ?? "") || <span class="dnb-muted">–</span>}</bdi>
        </td>
        <td>{modes()[row.write_mode as WriteMode] ?? visible(row.write_mode)}</td>
        <td class="dnb-id">
          <code title={row.session_id}>{visible(row.session_id.slice(0, 8))}…</code> <CopyButton text={row.session_id} label={t("Copy session id")} />
        </td>
        <td class="dnb-last">
          {open && (
            <button ref={button} type="button" class="dnb-button" aria-expanded={asking} onClick={() => ask(!asking)}>
              {t("Close…")}
            </button>
          )}
        </td>
      </tr>
      {asking && open && (
        <tr class="dnb-question">
          <td colSpan={COLUMNS}>
            <Question row={row} action={action} back={back} done={() => ask(false)} />
          </td>
        </tr>
      )}
    </>
  );
}

type QuestionProps = { row: SessionRow; action: Action; back: () => void; done: () => void };

/** Closing commits: the question says what it does before it asks. */
function Question({ row, action, back, done }: QuestionProps) {
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  const closing = action.pending === "close";
  const close = async () => {
    if (!closing && (await action.run("close", { session_id: row.session_id }))) done();
  };
  return (
    <div
      class="dnb-ask"
      role="group"
      aria-label={t("Close this session?")}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        back();
      }}
    >
      <p>{t("Closing starts ingestion of everything sent into this session. It takes no more files then, and cannot be opened again.")}</p>
      <div class="dnb-buttons">
        <button ref={first} type="button" class="dnb-button dnb-primary" aria-disabled={closing} onClick={() => void close()}>
          {closing ? t("Closing…") : t("Close and ingest")}
        </button>
        <button type="button" class="dnb-button" onClick={back}>
          {t("Keep it open")}
        </button>
      </div>
    </div>
  );
}
