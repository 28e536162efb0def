import { useState } from "preact/hooks";
import { fileCount, formatBytes, formatNumber } from "../lib/format";
import type { Action } from "../lib/hooks";
import { plural, t } from "../lib/i18n";
import { modes } from "../lib/modes";
import { isReady, type Queue } from "../lib/queue";
import type { UploaderState, WriteMode } from "../lib/upload_messages";
import { CopyButton } from "./CopyButton";
import { Icon } from "./Icon";
import { MetaEditor } from "./MetaEditor";
import { BusyKernel, Notice } from "./Notice";
import { QueueTable } from "./QueueTable";

/** What was chosen, what would become of it, and the button that does it. */
export function Files({ queue, state, action }: { queue: Queue; state: UploaderState; action: Action }) {
  const [editing, setEditing] = useState<{ id: string | null } | null>(null);
  const { items } = queue;
  const { plan } = queue.plans;
  const ready = items.filter(isReady);
  const coming = items.filter((item) => item.status === "waiting" || item.status === "sending");
  const failed = items.filter((item) => item.status === "failed");
  const edited = editing?.id == null ? undefined : items.find((item) => item.id === editing.id);
  const close = () => {
    const at = editing?.id === null ? "[data-dnb=meta]" : `[aria-expanded=true]`;
    const root = (document.activeElement?.getRootNode() ?? document) as ParentNode;
    const opener = document.activeElement?.closest(".dnb")?.querySelector<HTMLElement>(at) ?? root.querySelector<HTMLElement>(at);
    setEditing(null);
    opener?.focus();
  };
  return (
    <>
      {queue.remark && (
        <p class="dnb-muted" role="status">
          {queue.remark}
        </p>
      )}
      {items.length > 0 && (
        <>
          <Hazards queue={queue} />
          <QueueTable queue={queue} limit={state.file_limit_bytes} editing={editing?.id ?? null} onEdit={(id) => setEditing(editing?.id === id ? null : { id })} />
          {editing && (editing.id === null || edited) && (
            <MetaEditor key={editing.id ?? ""} queue={queue} id={editing.id} path={edited?.path ?? ""} onClose={close} />
          )}
        </>
      )}
      {action.error && <Notice tone="fail" message={action.error.message} remedy={action.error.remedy} />}
      {queue.plans.problem && <Notice tone="warn" message={queue.plans.problem.message} remedy={queue.plans.problem.remedy} />}
      {(queue.stalled || action.slow) && <BusyKernel />}
      {items.length > 0 && (
        <div class="dnb-end">
          <label>
            <span class="dnb-muted">{t("If a name is taken")}</span>{" "}
            <select class="dnb-select" value={queue.mode} onChange={(event) => (queue.mode = event.currentTarget.value as WriteMode)}>
              {Object.entries(modes()).map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          </label>
          <button type="button" class="dnb-button" data-dnb="meta" aria-expanded={editing?.id === null} onClick={() => (editing?.id === null ? close() : setEditing({ id: null }))}>
            {queue.meta.trim() ? t("Metadata of all files ✓") : t("Metadata of all files")}
          </button>
          <CopyButton text={() => queue.code()} label={t("Copy as Python")} words={t("Copy as Python")} />
          <span class="dnb-go">
            <span class="dnb-going">{summary(queue, ready.length, coming.length, failed.length)}</span>
            <UploadButton queue={queue} action={action} coming={coming.length} ready={ready.length} />
          </span>
          <span class="dnb-spoken" role="status">
            {!coming.length && plan && plural(plan.send, "{count} file ready to upload.", "{count} files ready to upload.")}
          </span>
        </div>
      )}
    </>
  );
}

function summary(queue: Queue, ready: number, coming: number, failed: number): string {
  if (coming) return plural(ready + coming, "{ready} of {count} file ready", "{ready} of {count} files ready", { ready: formatNumber(ready) });
  const { plan } = queue.plans;
  const going = plan?.send ?? ready;
  const bytes = plan?.bytes ?? queue.items.filter(isReady).reduce((sum, item) => sum + item.size, 0);
  const out = failed + (plan ? plan.hazards.filter((one) => one.action !== "send").length + plan.more : 0);
  return `${fileCount(going)}, ${formatBytes(bytes)}${out ? `, ${plural(out, "{count} left out", "{count} left out")}` : ""}`;
}

function UploadButton({ queue, action, coming, ready }: { queue: Queue; action: Action; coming: number; ready: number }) {
  const planned = queue.plans.plan !== null || queue.plans.problem !== null;
  const nothing = queue.plans.plan?.send === 0;
  const can = ready > 0 && !coming && planned && !nothing && !queue.plans.hasMetaProblem && !action.pending;
  return (
    <button
      type="button"
      class="dnb-button dnb-primary"
      aria-disabled={!can}
      title={queue.plans.hasMetaProblem ? t("Correct the metadata first.") : undefined}
      onClick={() => can && void action.run("upload", { write_mode: queue.mode, page: queue.page })}
    >
      {action.pending === "upload" ? t("Starting…") : t("Upload")}
    </button>
  );
}

/** How many files the plan stops, and a way to be rid of them all. */
function Hazards({ queue }: { queue: Queue }) {
  const stopped = queue.items.filter((item) => item.status === "failed" || (isReady(item) && queue.plans.hazard(item.id)?.action === "refuse"));
  if (!stopped.length) return null;
  return (
    <div class="dnb-notice dnb-warn dnb-hazards">
      <Icon name="warn" />
      <span>{plural(stopped.length, "{count} file cannot go up; the list says why.", "{count} files cannot go up; the list says why.")}</span>
      <button type="button" class="dnb-button" onClick={() => void queue.remove(...stopped.map((item) => item.id))}>
        {plural(stopped.length, "Leave it out", "Leave them out")}
      </button>
    </div>
  );
}
