import { CloseSession } from "../components/CloseSession";
import { CopyButton } from "../components/CopyButton";
import { Outcomes } from "../components/Outcomes";
import { Pane } from "../components/Pane";
import { formatDateTime } from "../lib/format";
import { t } from "../lib/i18n";
import type { WriteMode } from "../lib/messages";
import type { SessionRow } from "../lib/messages_browsers";
import { modes } from "../lib/modes";
import type { Requests } from "../lib/requests";
import { visible } from "../lib/text";
import { verdict } from "../lib/verdict";

export type SessionDetailsProps = { requests: Requests; row: SessionRow; asking: boolean; now: number; close: () => void };

/** One session: how it stands, what became of each file, and what can be done. */
export default function SessionDetails({ requests, row, asking, now, close }: SessionDetailsProps) {
  const said = verdict(row, now);
  const code = `ws.get_upload_session(${JSON.stringify(row.session_id)}).files`;
  return (
    <Pane title={said ? t("Session: {verdict}", { verdict: said.words }) : t("Session")} close={close} tone={said ? `dnb-pane-${said.tone}` : ""}>
      <dl class="dnb-facts-list">
        <dt>{t("Session id")}</dt>
        <dd>
          <code>{visible(row.session_id)}</code> <CopyButton text={row.session_id} label={t("Copy session id")} />
        </dd>
        <dt>{t("Created")}</dt>
        <dd>
          {formatDateTime(row.created_at)} {row.created_by && <bdi>{t("by {name}", { name: visible(row.created_by) })}</bdi>}
        </dd>
        {row.status === "OPEN" && row.expires_at && (
          <>
            <dt>{t("Expires")}</dt>
            <dd>{t("{time}; the platform closes it then", { time: formatDateTime(row.expires_at) })}</dd>
          </>
        )}
        <dt>{t("If a name is taken")}</dt>
        <dd>{modes()[row.write_mode as WriteMode] ?? visible(row.write_mode)}</dd>
        <dt>{t("In Python")}</dt>
        <dd>
          <code>{code}</code> <CopyButton text={code} label={t("Copy as Python")} />
        </dd>
      </dl>
      {row.status === "OPEN" ? (
        <>
          <p class="dnb-muted">{t("The platform does not tell what was sent into an open session; its files have an outcome once it is closed.")}</p>
          <CloseSession row={row} requests={requests} asking={asking} />
        </>
      ) : (
        <Outcomes row={row} requests={requests} />
      )}
    </Pane>
  );
}
