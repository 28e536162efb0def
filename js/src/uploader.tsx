import type { AnyModel } from "@anywidget/types";
import { useEffect, useReducer, useState } from "preact/hooks";
import { DropZone } from "./components/DropZone";
import { JobView } from "./components/JobView";
import { BusyKernel, Notice, Waiting } from "./components/Notice";
import { QueueTable } from "./components/QueueTable";
import { TargetLine } from "./components/TargetLine";
import { fileCount, formatBytes, formatNumber } from "./lib/format";
import { sayHello } from "./lib/hello";
import { plural, t } from "./lib/i18n";
import { useAction, useTrait, type Action } from "./lib/hooks";
import { uploaderState, type UploaderState, type WriteMode } from "./lib/messages";
import { ended } from "./lib/milestones";
import { modes } from "./lib/modes";
import { mount, type ViewProps } from "./lib/mount";
import { Queue } from "./lib/queue";
import "./styles/base.css";
import "./styles/job.css";
import "./styles/uploader.css";

// One queue a Python object, whatever the host makes of modules, models and views.
const queues = new Map<string, Queue>();

function queueOf(model: AnyModel): Queue {
  const key = String(model.get("key"));
  const queue = queues.get(key) ?? new Queue(model);
  queues.set(key, queue);
  return queue;
}

function useQueue(model: AnyModel): Queue {
  const queue = queueOf(model);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => queue.subscribe(() => redraw(undefined)), [queue]);
  return queue;
}

function Uploader({ model, requests }: ViewProps) {
  const state = useTrait(model, "state", uploaderState);
  const action = useAction(requests);
  if (!state) return <Waiting />;
  if (!state.job) return <Choosing model={model} state={state} action={action} />;
  return (
    <>
      <JobView state={state.job} action={action} requests={requests} />
      {ended(state.job) && (
        <p class="dnb-after">
          <button type="button" class="dnb-button" onClick={() => action.run("clear")}>
            {t("Upload more files")}
          </button>
        </p>
      )}
    </>
  );
}

function Choosing({ model, state, action }: { model: AnyModel; state: UploaderState; action: Action }) {
  const queue = useQueue(model);
  const [mode, setMode] = useState<WriteMode>("KEEP");
  const { items } = queue;
  const ready = items.filter((item) => item.status === "received");
  const coming = items.filter((item) => item.status === "waiting" || item.status === "sending");
  const left = items.length - ready.length - coming.length;
  const bytes = (sum: number, item: { size: number }) => sum + item.size;
  const can = ready.length > 0 && !coming.length && !action.pending;
  return (
    <div class="dnb-card" role="group" aria-label={t("Upload files")}>
      <div>
        <p class="dnb-title">{t("Upload files")}</p>
        <TargetLine target={state.target} />
      </div>
      <DropZone
        compact={items.length > 0}
        hint={t("From this computer, through the notebook. Files that are on the kernel's disk already go faster with ws.upload(path).")}
        onChosen={(chosen) => void queue.add(chosen, state.file_limit_bytes)}
      />
      {queue.remark && (
        <p class="dnb-muted" role="status">
          {queue.remark}
        </p>
      )}
      {items.length > 0 && <QueueTable items={items} onRemove={(id) => void queue.remove(id)} />}
      {action.error && <Notice tone="fail" message={action.error.message} remedy={action.error.remedy} />}
      {(queue.stalled || action.slow) && <BusyKernel />}
      {items.length > 0 && (
        <div class="dnb-foot">
          <label>
            <span class="dnb-muted">{t("If a name is taken")}</span>{" "}
            <select class="dnb-select" value={mode} onChange={(event) => setMode(event.currentTarget.value as WriteMode)}>
              {Object.entries(modes()).map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          </label>
          <span class="dnb-summary">
            {coming.length > 0
              ? plural(ready.length + coming.length, "{ready} of {count} file ready", "{ready} of {count} files ready", { ready: formatNumber(ready.length) })
              : `${fileCount(ready.length)}, ${formatBytes(ready.reduce(bytes, 0))}`}
            {left > 0 && `, ${plural(left, "{count} left out", "{count} left out")}`}
          </span>
          <button
            type="button"
            class="dnb-button dnb-primary"
            aria-disabled={!can}
            onClick={() => can && void action.run("upload", { write_mode: mode })}
          >
            {action.pending === "upload" ? t("Starting…") : t("Upload")}
          </button>
          <span class="dnb-spoken" role="status">
            {!coming.length && plural(ready.length, "{count} file ready to upload.", "{count} files ready to upload.")}
          </span>
        </div>
      )}
    </div>
  );
}

export default {
  initialize: ({ model }: { model: AnyModel }) => {
    const goodbye = sayHello(model);
    const key = String(model.get("key"));
    const queue = queueOf(model);
    return () => {
      goodbye();
      queue.dispose();
      queues.delete(key);
    };
  },
  render: ({ model, el }: { model: AnyModel; el: HTMLElement }) => mount(Uploader, model, el),
};
