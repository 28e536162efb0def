import type { Target } from "../lib/messages";
import { visible } from "../lib/text";

/** Where it goes: seen before anybody uploads to the wrong place. */
export function TargetLine({ target }: { target: Target }) {
  return (
    <p class="dnb-target">
      <span class="dnb-muted">Workspace</span> <bdi class="dnb-strong">{visible(target.workspace)}</bdi>
      {target.organisation && (
        <>
          {" "}
          <span class="dnb-muted">of</span> <bdi>{visible(target.organisation)}</bdi>
        </>
      )}{" "}
      <span class="dnb-muted">
        at <bdi>{visible(target.host)}</bdi>
      </span>
    </p>
  );
}
