import type { AnyModel } from "@anywidget/types";
import { BusyKernel, Notice, Waiting } from "./components/Notice";
import { SessionTable } from "./components/SessionTable";
import { TargetLine } from "./components/TargetLine";
import { formatNumber, formatRelative } from "./lib/format";
import { sayHello } from "./lib/hello";
import { rich, t } from "./lib/i18n";
import { useAction, useNow, useTrait } from "./lib/hooks";
import { sessionsState, type SessionsState } from "./lib/messages";
import { mount, type ViewProps } from "./lib/mount";
import "./styles/base.css";
import "./styles/sessions.css";

function SessionBrowser({ model, requests }: ViewProps) {
  const state = useTrait(model, "state", sessionsState);
  const action = useAction(requests);
  const now = useNow(true);
  if (!state) return <Waiting />;
  const busy = state.loading || action.pending === "refresh";
  return (
    <div class="dnb-card" role="group" aria-label={t("Upload sessions")} aria-busy={busy}>
      <div class="dnb-head">
        <div class="dnb-titles">
          <p class="dnb-title">{t("Upload sessions")}</p>
          <TargetLine target={state.target} />
        </div>
        <div class="dnb-buttons">
          <button type="button" class="dnb-button" aria-disabled={busy} onClick={() => busy || void action.run("refresh")}>
            {busy ? t("Refreshing…") : t("Refresh")}
          </button>
        </div>
      </div>
      {state.error && <Notice tone="fail" message={state.error.message} remedy={state.error.remedy} />}
      {action.error && <Notice tone="fail" message={action.error.message} remedy={action.error.remedy} />}
      {action.slow && <BusyKernel />}
      {state.rows.length > 0 ? <SessionTable rows={state.rows} now={now} action={action} /> : <Empty state={state} />}
      <Summary state={state} now={now} />
    </div>
  );
}

function Empty({ state }: { state: SessionsState }) {
  if (state.updated_at === null) return state.loading ? <p class="dnb-muted">{t("Asking the platform…")}</p> : null;
  return (
    <p class="dnb-muted">
      {rich("No upload sessions yet. {code} opens one.", { code: <code>ws.upload(path)</code> })}
    </p>
  );
}

function Summary({ state, now }: { state: SessionsState; now: number }) {
  if (state.updated_at === null) return null;
  const shown = state.rows.length;
  return (
    <p class="dnb-news dnb-muted">
      {shown < state.total && (
        <span>
          {rich("Showing the newest {shown} of {total}; {code} has all", {
            shown: formatNumber(shown),
            total: formatNumber(state.total),
            code: <code>ws.list_upload_sessions()</code>,
          })}
        </span>
      )}
      <span>{t("Updated {when}", { when: formatRelative(state.updated_at, now) })}</span>
    </p>
  );
}

export default {
  initialize: ({ model }: { model: AnyModel }) => sayHello(model),
  render: ({ model, el }: { model: AnyModel; el: HTMLElement }) => mount(SessionBrowser, model, el),
};
