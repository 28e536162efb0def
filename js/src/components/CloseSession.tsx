import { useEffect, useRef, useState } from "preact/hooks";
import { useAction } from "../lib/hooks";
import { t } from "../lib/i18n";
import type { SessionRow } from "../lib/messages_browsers";
import type { Requests } from "../lib/requests";
import { Notice } from "./Notice";

/** Closing commits: the question says what it does before it asks. */
export function CloseSession({ row, requests, asking }: { row: SessionRow; requests: Requests; asking: boolean }) {
  const action = useAction(requests);
  const [sure, setSure] = useState(asking);
  const yes = useRef<HTMLButtonElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (sure) yes.current?.focus();
  }, [sure]);
  const back = () => {
    setSure(false);
    setTimeout(() => button.current?.focus());
  };
  const closing = action.pending === "close";
  if (!sure) {
    return (
      <p>
        <button ref={button} type="button" class="dnb-button" onClick={() => setSure(true)}>
          {t("Close this session…")}
        </button>
      </p>
    );
  }
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
        <button
          ref={yes}
          data-first
          type="button"
          class="dnb-button dnb-primary"
          aria-disabled={closing}
          onClick={() => closing || void action.run("close", { id: row.session_id })}
        >
          {closing ? t("Closing…") : t("Close and ingest")}
        </button>
        <button type="button" class="dnb-button" onClick={back}>
          {t("Keep it open")}
        </button>
      </div>
      {action.error && <Notice tone="fail" message={action.error.message} remedy={action.error.remedy} />}
    </div>
  );
}
