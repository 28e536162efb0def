import type { Problem } from "../lib/messages";
import { t } from "../lib/i18n";
import { visible } from "../lib/text";
import { Notice } from "./Notice";

/** What went wrong, and what to do about it; `again` does it once more. */
export function Problems({ of, again }: { of: (Problem | null)[]; again?: () => void }) {
  return (
    <>
      {of.map(
        (problem) =>
          problem && (
            <div class="dnb-again">
              <Notice tone="fail" message={visible(problem.message, 600)} remedy={problem.remedy} />
              {again && (
                <button type="button" class="dnb-button" onClick={again}>
                  {t("Try again")}
                </button>
              )}
            </div>
          ),
      )}
    </>
  );
}
