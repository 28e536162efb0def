import { formatBytes, formatNumber } from "../lib/format";
import { plural, t } from "../lib/i18n";
import type { Phase } from "../lib/messages";
import { fraction, phaseLabel } from "../lib/milestones";
import { Bar } from "./Bar";
import { Icon, type IconName } from "./Icon";

const ICONS: Record<Phase["state"], IconName> = { waiting: "wait", active: "now", done: "ok", failed: "fail" };

/** One row a phase: how far in files and in bytes. */
export function Phases({ phases, stopped }: { phases: Phase[]; stopped: boolean }) {
  return (
    <table class="dnb-phases">
      <thead class="dnb-spoken">
        <tr>
          <th scope="col">{t("Phase")}</th>
          <th scope="col">{t("Progress")}</th>
          <th scope="col">{t("Files")}</th>
          <th scope="col">{t("Bytes")}</th>
        </tr>
      </thead>
      <tbody>
        {phases.map((phase) => (
          <PhaseRow key={phase.name} phase={phase} stopped={stopped} />
        ))}
      </tbody>
    </table>
  );
}

function PhaseRow({ phase, stopped }: { phase: Phase; stopped: boolean }) {
  const { state, files_done, files_total, bytes_done, bytes_total } = phase;
  const label = phaseLabel(phase);
  // A phase cut short by a cancel is neither good nor bad: it stopped.
  const cut = stopped && state === "failed";
  const started = state !== "waiting";
  return (
    <tr class={`dnb-phase dnb-phase-${cut ? "cut" : state}`}>
      <th scope="row">
        <Icon name={cut ? "stop" : ICONS[state]} /> {label}
        <span class="dnb-spoken">, {cut ? t("stopped") : stateWord(state)}</span>
      </th>
      <td class="dnb-wide">
        <Bar value={started ? fraction(phase) ?? (state === "active" ? null : 0) : 0} label={label} tone={cut ? "cut" : state} />
      </td>
      <td class="dnb-number">{started && files_total > 0 ? plural(files_total, "{done} of {count} file", "{done} of {count} files", { done: formatNumber(files_done) }) : ""}</td>
      <td class="dnb-number">{started && bytes_total > 0 ? t("{done} of {total}", { done: formatBytes(bytes_done), total: formatBytes(bytes_total) }) : ""}</td>
    </tr>
  );
}

const stateWord = (state: Phase["state"]): string => ({ waiting: t("waiting"), active: t("active"), done: t("done"), failed: t("failed") })[state];
