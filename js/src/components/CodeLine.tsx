import { t } from "../lib/i18n";
import { visible } from "../lib/text";
import { CopyButton } from "./CopyButton";

/** The line of Python that gives the same rows. */
export function CodeLine({ code }: { code: string }) {
  return (
    <p class="dnb-code">
      <span class="dnb-muted">{t("In Python")}</span> <code>{visible(code, 400)}</code> <CopyButton text={code} label={t("Copy as Python")} />
    </p>
  );
}
