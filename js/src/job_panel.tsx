import type { AnyModel } from "@anywidget/types";
import { JobView } from "./components/JobView";
import { Waiting } from "./components/Notice";
import { sayHello } from "./lib/hello";
import { useAction, useTrait } from "./lib/hooks";
import { jobState } from "./lib/messages";
import { mount, type ViewProps } from "./lib/mount";
import "./styles/base.css";
import "./styles/job.css";

function JobPanel({ model, requests }: ViewProps) {
  const state = useTrait(model, "state", jobState);
  const action = useAction(requests);
  return state ? <JobView state={state} action={action} requests={requests} /> : <Waiting />;
}

export default {
  initialize: ({ model }: { model: AnyModel }) => sayHello(model),
  render: ({ model, el }: { model: AnyModel; el: HTMLElement }) => mount(JobPanel, model, el),
};
