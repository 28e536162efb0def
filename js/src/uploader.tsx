import type { AnyModel } from "@anywidget/types";
import { useEffect, useReducer } from "preact/hooks";
import { DropZone } from "./components/DropZone";
import { JobView } from "./components/JobView";
import { LaneLine } from "./components/LaneLine";
import { BusyKernel, Notice, Waiting } from "./components/Notice";
import { TargetLine } from "./components/TargetLine";
import { Desk } from "./lib/desk";
import { sayHello } from "./lib/hello";
import { useAction, useTrait, type Action } from "./lib/hooks";
import { t } from "./lib/i18n";
import { ended } from "./lib/milestones";
import { mount, type ViewProps } from "./lib/mount";
import { uploaderState, type UploaderState } from "./lib/upload_messages";
import "./styles/base.css";
import "./styles/job.css";
import "./styles/uploader.css";

// One desk a Python object, whatever the host makes of modules, models and views.
const desks = new Map<string, Desk>();

function deskOf(model: AnyModel): Desk {
  const key = String(model.get("key"));
  const desk = desks.get(key) ?? new Desk(model);
  desks.set(key, desk);
  return desk;
}

function useDesk(model: AnyModel): Desk {
  const desk = deskOf(model);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => desk.subscribe(() => redraw(undefined)), [desk]);
  return desk;
}

function Uploader({ model, requests }: ViewProps) {
  const state = useTrait(model, "state", uploaderState);
  const action = useAction(requests);
  const desk = useDesk(model);
  useEffect(() => {
    if (state?.files) void desk.open(); // chosen before this page was loaded
  }, [desk, !state?.files]);
  if (!state) return <Waiting />;
  if (!state.job) return <Choosing desk={desk} state={state} action={action} />;
  const { part, queue } = desk;
  return (
    <>
      <JobView state={state.job} action={action} requests={requests} />
      <LaneLine state={state} job={state.job} />
      {!ended(state.job) && part && queue && <part.OnTheWay queue={queue} />}
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

function Choosing({ desk, state, action }: { desk: Desk; state: UploaderState; action: Action }) {
  const { part, queue } = desk;
  return (
    <div class="dnb-card" role="group" aria-label={t("Upload files")}>
      <div>
        <p class="dnb-title">{t("Upload files")}</p>
        <TargetLine target={state.target} />
      </div>
      <DropZone
        compact={(queue?.items.length ?? 0) > 0}
        hint={t("From this computer. Files that are on the kernel's disk already go faster with ws.upload(path).")}
        onChosen={(chosen) => void desk.add(chosen, state.file_limit_bytes)}
      />
      {desk.problem && <Notice tone="fail" message={desk.problem.message} remedy={desk.problem.remedy} />}
      {desk.slow && <BusyKernel />}
      {part && queue && <part.Files queue={queue} state={state} action={action} />}
    </div>
  );
}

export default {
  initialize: ({ model }: { model: AnyModel }) => {
    const goodbye = sayHello(model);
    const key = String(model.get("key"));
    const desk = deskOf(model);
    return () => {
      goodbye();
      desk.dispose();
      desks.delete(key);
    };
  },
  render: ({ model, el }: { model: AnyModel; el: HTMLElement }) => mount(Uploader, model, el),
};
