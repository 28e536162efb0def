import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { formatBytes, formatDateTime, formatDuration, formatElapsed } from "../lib/format";
import { useChangedAt, useNow, useSlow, type Action } from "../lib/hooks";
import { plural, t } from "../lib/i18n";
import { jobCodeResult, type JobState } from "../lib/messages";
import { ended } from "../lib/milestones";
import { usePart } from "../lib/part";
import type { Requests } from "../lib/requests";
import { is } from "../lib/shape";
import { visible } from "../lib/text";
import type { CancelChoiceProps } from "../parts/cancel_choice";
import type { ReceiptProps } from "../parts/receipt_table";
import { CopyButton } from "./CopyButton";
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
  if (!ended(state)) return state.stalled ? "warn" : "active";
  if (state.status === "cancelled") return "warn";
  const { total, ok, skipped } = state.counts;
  return state.status === "done" && ok + skipped === total ? "ok" : "fail";
}

type Props = { state: JobState; action: Action; requests: Requests; children?: ComponentChildren };

/** One upload from planning to the index, or one download; `children` come after its facts. */
export function JobView({ state, action, requests, children }: Props) {
  const now = tone(state);
  const told = useRef(false);
  told.current ||= !!state.detail;
  const [asked, setAsked] = useState(false);
  const [open, setOpen] = useState(false);
  const cancel = useRef<HTMLButtonElement>(null);
  const asking = asked && state.can_cancel && !action.pending;
  const Choice = usePart<CancelChoiceProps>(requests, "cancel_choice", asking);
  const Receipt = usePart<ReceiptProps>(requests, "receipt_table", open);
  const slow = useSlow((asking && !Choice) || (open && !Receipt));
  // What is lost by a cancel and what is not is worth a question only where something lies in an open session.
  const ask = () => {
    const sent = state.session_id && state.phases.some(({ name, state: at }) => at === "active" && name !== "planning");
    if (sent) setAsked(!asked);
    else void action.run("cancel", { ingest: "later" });
  };
  const code = () => requests.call("job_code").then((answer) => (is(jobCodeResult, answer) ? answer.code : ""));
  const back = () => {
    setAsked(false);
    cancel.current?.focus();
  };
  return (
    <div class={`dnb-card dnb-job dnb-tone-${now}`} role="group" aria-label={state.kind === "download" ? t("Download") : t("Upload")}>
      <div class="dnb-head">
        <Icon name={ICONS[now]} />
        <div class="dnb-titles">
          <p class="dnb-title">{visible(state.headline, 400)}</p>
          <TargetLine target={state.target} />
        </div>
        <div class="dnb-buttons">
          <Cancel state={state} action={action} asking={asking} onClick={ask} button={cancel} />
          {state.can_retry && <Retry state={state} action={action} />}
        </div>
      </div>
      {asking && Choice && <Choice state={state} back={back} cancel={(ingest) => void action.run("cancel", { ingest })} />}
      {(state.detail || (told.current && !ended(state))) && <p class="dnb-detail">{visible(state.detail, 1200)}</p>}
      <Phases phases={state.phases} stopped={["cancelling", "cancelled"].includes(state.status)} />
      <Facts state={state} />
      {children}
      {state.note && <Notice tone={state.status === "cancelled" ? "warn" : "info"} message={visible(state.note, 1200)} />}
      {action.error && <Notice tone="fail" message={action.error.message} remedy={action.error.remedy} />}
      {(action.slow || slow) && <BusyKernel />}
      <Failures failures={state.failures} total={state.failures_total} />
      <div class="dnb-more">
        {state.counts.total > 0 && (
          <button type="button" class="dnb-quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
            {t("Receipt")}
          </button>
        )}
        {state.has_code && <CopyButton text={code} label={t("Copy as Python")} words={t("Copy as Python")} />}
      </div>
      {open && Receipt && <Receipt state={state} requests={requests} />}
      <LiveRegion state={state} />
    </div>
  );
}

type CancelProps = { state: JobState; action: Action; asking: boolean; onClick: () => void; button: { current: HTMLButtonElement | null } };

function Cancel({ state, action, asking, onClick, button }: CancelProps) {
  const cancelling = state.status === "cancelling" || action.pending === "cancel";
  if (!state.can_cancel && !cancelling) return null;
  return (
    <button ref={button} type="button" class="dnb-button" aria-disabled={cancelling} aria-expanded={asking} onClick={() => cancelling || onClick()}>
      {cancelling ? t("Cancelling…") : t("Cancel")}
    </button>
  );
}

function Retry({ state, action }: { state: JobState; action: Action }) {
  const starting = action.pending === "retry";
  const words = state.status === "cancelled" ? t("Go on") : plural(state.retry_files, "Retry {count} file", "Retry {count} files");
  return (
    <button type="button" class="dnb-button dnb-primary" aria-disabled={starting} onClick={() => action.pending || action.run("retry")}>
      {starting ? t("Starting…") : words}
    </button>
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
    !!state.speed_bps && `${formatBytes(state.speed_bps)}/s`,
    state.eta_s !== null && t("about {time} left", { time: formatDuration(state.eta_s) }),
    state.counts.skipped > 0 && (state.kind === "download" ? plural(state.counts.skipped, "{count} there already", "{count} there already") : plural(state.counts.skipped, "{count} left out", "{count} left out")),
    state.session_id && !state.note?.includes(state.session_id) && (
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
