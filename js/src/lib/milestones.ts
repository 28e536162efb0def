// What a screen reader hears of a job: its start, quarters, each new failure once, the end. Nothing in between.
import { plural, t } from "./i18n";
import type { JobState, Phase } from "./messages";
import { visible } from "./text";

export function fraction(phase: Phase): number | null {
  if (phase.state === "done") return 1;
  if (phase.bytes_total > 0) return Math.min(1, phase.bytes_done / phase.bytes_total);
  if (phase.files_total > 0) return Math.min(1, phase.files_done / phase.files_total);
  return null;
}

export function phaseLabel({ label }: Phase): string {
  const words: Record<string, string> = { Planning: t("Planning"), Sending: t("Sending"), Ingesting: t("Ingesting"), Listing: t("Listing"), Fetching: t("Fetching") };
  return words[label] ?? label;
}

export const ended = (state: JobState): boolean => !["running", "cancelling"].includes(state.status);

/** The sentence to speak when `before` became `after`; empty for nothing worth hearing. */
export function milestone(before: JobState | null, after: JobState): string {
  const said: string[] = [];
  if (!before || before.status !== after.status) {
    if (ended(after)) return [after.headline, after.note ?? ""].filter(Boolean).map((text) => visible(text, 1000)).join(". ");
    if (after.status === "cancelling") return t("Cancelling.");
  }
  const active = after.phases.find((phase) => phase.state === "active");
  const earlier = active && before?.phases.find((phase) => phase.name === active.name);
  if (active && earlier?.state !== "active") {
    said.push(`${phaseLabel(active)}.`);
  } else if (active && earlier) {
    const quarter = Math.floor((fraction(active) ?? 0) * 4);
    if (quarter > Math.floor((fraction(earlier) ?? 0) * 4) && quarter < 4) said.push(t("{phase}: {percent} %.", { phase: phaseLabel(active), percent: quarter * 25 }));
  }
  if (after.stalled && !before?.stalled) said.push(visible(after.detail, 600));
  const fresh = after.failures_total - (before?.failures_total ?? 0);
  const last = after.failures.at(-1);
  if (fresh === 1 && last) said.push(t("Failed: {path}.", { path: visible(last.path) }));
  else if (fresh > 1) said.push(plural(fresh, "{count} file failed.", "{count} files failed."));
  return said.join(" ");
}
