import { useEffect, useRef, useState } from "preact/hooks";
import type { JobState } from "../lib/messages";
import { milestone } from "../lib/milestones";

/** Speaks a job's milestones politely; what changes ten times a second stays silent. */
export function LiveRegion({ state }: { state: JobState }) {
  const before = useRef<JobState | null>(null);
  const [said, setSaid] = useState("");
  useEffect(() => {
    const sentence = milestone(before.current, state);
    before.current = state;
    if (sentence) setSaid(sentence);
  }, [state]);
  return (
    <div class="dnb-spoken" role="status" aria-live="polite">
      {said}
    </div>
  );
}
