import { t } from "../lib/i18n";
import { Icon, type IconName } from "./Icon";
import { Spoken } from "./Spoken";

/** Something that went wrong or needs knowing, and what to do about it. */
export function Notice({ tone, message, remedy = "" }: { tone: "fail" | "warn" | "info"; message: string; remedy?: string }) {
  const icon: IconName = tone === "info" ? "warn" : tone;
  return (
    <p class={`dnb-notice dnb-${tone}`}>
      <Icon name={icon} />
      <span>
        {message} {remedy && <span class="dnb-muted">{remedy}</span>}
      </span>
      {tone === "fail" && <Spoken text={`${message} ${remedy}`.trim()} />}
    </p>
  );
}

/** Shown where there is no state, as in a notebook opened without its kernel. */
export function Waiting() {
  return <p class="dnb-muted">{t("Waiting for the kernel. If nothing comes, run the cell again.")}</p>;
}

/** Shown where something is on its way. */
export const Asking = () => <p class="dnb-muted">{t("Asking the platform…")}</p>;

/** Shown while the kernel has not answered a click for some seconds. */
export function BusyKernel() {
  const text = t("The kernel is busy and answers when the running cell ends. Interrupting the kernel stops that cell.");
  return (
    <p class="dnb-muted">
      {text} <Spoken text={text} />
    </p>
  );
}
