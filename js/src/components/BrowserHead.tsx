import { formatRelative } from "../lib/format";
import { t } from "../lib/i18n";
import type { Action } from "../lib/hooks";
import type { Target } from "../lib/messages";
import { TargetLine } from "./TargetLine";

type Props = { title: string; state: { target: Target; loading: boolean; updated_at: string | null; error: unknown }; action: Action; now: number };

/** What this is a table of, how old it is, and Refresh. */
export function BrowserHead({ title, state, action, now }: Props) {
  const when = state.updated_at ? formatRelative(state.updated_at, Math.max(now, Date.parse(state.updated_at))) : "";
  const busy = state.loading || action.pending === "refresh";
  return (
    <div class="dnb-head">
      <div class="dnb-titles">
        <p class="dnb-title">{title}</p>
        <TargetLine target={state.target} />
      </div>
      <div class="dnb-buttons">
        {state.updated_at && <span class="dnb-muted dnb-age">{state.error ? t("As of {when}", { when }) : t("Updated {when}", { when })}</span>}
        <button type="button" class="dnb-button" aria-disabled={busy} onClick={() => busy || void action.run("refresh")}>
          {busy ? t("Refreshing…") : t("Refresh")}
        </button>
      </div>
    </div>
  );
}
