import { rich } from "../lib/i18n";
import type { Target } from "../lib/messages";
import { visible } from "../lib/text";

/** Where it goes: seen before anybody uploads to the wrong place. */
export function TargetLine({ target }: { target: Target }) {
  const names = {
    workspace: <bdi class="dnb-strong">{visible(target.workspace)}</bdi>,
    organisation: <bdi class="dnb-strong">{visible(target.organisation ?? "")}</bdi>,
    host: <bdi>{visible(target.host)}</bdi>,
  };
  return (
    <p class="dnb-target dnb-muted">
      {target.organisation ? rich("Workspace {workspace} of {organisation} at {host}", names) : rich("Workspace {workspace} at {host}", names)}
    </p>
  );
}
