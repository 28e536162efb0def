import { formatBytes, formatDateTime, formatElapsed } from "../lib/format";
import { useChangedAt, useNow, type Action } from "../lib/hooks";
import { plural, t } from "../lib/i18n";
import type { JobState } from "../lib/messages";
import { ended } from "../lib/milestones";
import { visible } from "../lib/text";
import { Failures } from "./Failures";
import { Icon, type IconName } from "./Icon";
import { LiveRegion } from "./LiveRegion";
import { BusyKernel, Notice } from "./Notice";
import { Phases } from "./Phases";
import { TargetLine } from "./TargetLine";

type Tone = "active" | "ok" | "warn" | "fail";
const ICONS: Record<Tone, IconName> = { active: "run", ok: "ok", warn: "warn", fail: "fail" };

/** Green only when every file is where it should be. */
export function tone(state: JobState): Tone {
  if (!ended(state)) return "active";
  if (state.status === "cancelled") return "warn";
  const { failed, unaccounted, cancelled } = state.counts;
  if (state.status === "done" && failed + unaccounted + cancelled === 0) return "ok";
  return "fail";
}

/** One upload from planning to the index, or one download. */
export function JobView({ state, action }: { state: JobState; action: Action }) {
  const now = tone(state);
  return (
    <div class={`dnb-card dnb-job dnb-tone-${now}`} role="group" aria-label={state.kind === "download" ? t("Download") : t("Upload")}>
      <div class="dnb-head">
        <Icon name={ICONS[now]} />
        <div class="dnb-titles">
          <p class="dnb-title">{visible(state.headline, 400)}</p>
          <TargetLine target={state.target} />
        </div>
        <Buttons state={state} action={action} />
      </div>
      {state.detail && <p class="dnb-detail">{visible(state.detail, 600)}</p>}
      <Phases phases={state.phases} stopped={["cancelling", "cancelled"].includes(state.status)} />
      <Facts state={state} />
      {state.note && <Notice tone={state.status === "cancelled" ? "warn" : "info"} message={visible(state.note, 1000)} />}
      {action.error && <Notice tone="fail" message={action.error.message} remedy={action.error.remedy} />}
      {action.slow && <BusyKernel />}
      <Failures failures={state.failures} total={state.failures_total} />
      <LiveRegion state={state} />
    </div>
  );
}

function Buttons({ state, action }: { state: JobState; action: Action }) {
  const cancelling = state.status === "cancelling" || action.pending === "cancel";
  const { failed, unaccounted, cancelled } = state.counts;
  const again = failed + unaccounted + cancelled;
  return (
    <div class="dnb-buttons">
      {(state.can_cancel || cancelling) && (
        <button type="button" class="dnb-button" aria-disabled={cancelling} onClick={() => cancelling || action.run("cancel")}>
          {cancelling ? t("Cancelling…") : t("Cancel")}
        </button>
      )}
      {state.can_retry && (
        <button
          type="button"
          class="dnb-button dnb-primary"
          aria-disabled={action.pending === "retry"}
          onClick={() => action.pending || action.run("retry")}
        >
          {action.pending === "retry" ? t("Starting…") : state.status === "cancelled" ? t("Go on") : plural(again, "Retry {count} file", "Retry {count} files")}
        </button>
      )}
    </div>
  );
}

// The clock runs on between two updates, but not for a kernel that has gone silent.
const QUIET_AFTER_S = 30;

function Facts({ state }: { state: JobState }) {
  const running = !ended(state);
  const since = useChangedAt(state);
  const now = useNow(running);
  const quiet_s = running ? Math.max(0, (now - since) / 1000) : 0;
  const facts = [
    <>
      <span class="dnb-muted">{running ? t("Running for") : t("Took")}</span> {formatElapsed(state.elapsed_s + Math.min(quiet_s, QUIET_AFTER_S))}
    </>,
    state.speed_bps !== null && `${formatBytes(state.speed_bps)}/s`,
    state.counts.skipped > 0 && (state.kind === "download" ? plural(state.counts.skipped, "{count} there already", "{count} there already") : plural(state.counts.skipped, "{count} left out", "{count} left out")),
    state.session_id && (
      <>
        <span class="dnb-muted">{t("Session")}</span> <code>{visible(state.session_id)}</code>
      </>
    ),
    state.status === "cancelled" && state.expires_at && t("closes by itself {when}", { when: formatDateTime(state.expires_at) }),
    quiet_s > QUIET_AFTER_S && t("Last news {time} ago", { time: formatElapsed(quiet_s) }),
  ].filter(Boolean);
  return (
    <ul class="dnb-facts">
      {facts.map((fact, index) => (
        <li key={index}>{fact}</li>
      ))}
    </ul>
  );
}
