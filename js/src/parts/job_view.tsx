import { JobView } from "../components/JobView";
import { useAction } from "../lib/hooks";
import type { JobState } from "../lib/messages";
import type { Requests } from "../lib/requests";

export type JobPartProps = { state: JobState; requests: Requests };

/** The panel of a job that another widget has started. */
export default function JobPart({ state, requests }: JobPartProps) {
  return <JobView state={state} action={useAction(requests)} requests={requests} />;
}
