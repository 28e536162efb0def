import { t } from "../lib/i18n";
import type { Table } from "../lib/table";
import { visible } from "../lib/text";
import { Notice } from "./Notice";

/** Rows that could not be fetched, a selection that was refused. */
export function RowsNotice({ table: { rows, problem } }: { table: Pick<Table<any>, "rows" | "problem"> }) {
  return (
    <>
      {rows.error && (
        <div class="dnb-again">
          <Notice tone="fail" message={visible(rows.error.message, 600)} remedy={rows.error.remedy} />
          <button type="button" class="dnb-button" onClick={() => rows.again()}>
            {t("Try again")}
          </button>
        </div>
      )}
      {problem && <Notice tone="warn" message={visible(problem.message, 600)} remedy={problem.remedy} />}
    </>
  );
}
