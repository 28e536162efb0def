import { formatNumber } from "../lib/format";
import { plural, rich, t } from "../lib/i18n";
import type { Failure } from "../lib/messages";
import { visible } from "../lib/text";

/** The files that did not make it: which, why, and what to do. */
export function Failures({ failures, total }: { failures: Failure[]; total: number }) {
  if (!total) return null;
  const more = total - failures.length;
  return (
    <details class="dnb-failures" open>
      <summary>{plural(total, "{count} file did not make it", "{count} files did not make it")}</summary>
      <div class="dnb-scroll" tabIndex={0} role="group" aria-label={t("Files that did not make it")}>
        <table class="dnb-table dnb-stack">
          <thead>
            <tr>
              <th scope="col">{t("File")}</th>
              <th scope="col">{t("What happened")}</th>
              <th scope="col">{t("What to do")}</th>
            </tr>
          </thead>
          <tbody>
            {failures.map((failure, index) => (
              <tr key={`${index} ${failure.path}`}>
                <td class="dnb-name">
                  <bdi>{visible(failure.path)}</bdi>
                </td>
                <td>
                  {visible(failure.reason, 600)}
                  {failure.status !== "failed" && <span class="dnb-muted"> ({statusWord(failure.status)})</span>}
                </td>
                <td>{visible(failure.remedy, 600)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {more > 0 && (
        <p class="dnb-muted">
          {rich("and {count} more in {code}", { count: formatNumber(more), code: <code>job.receipt</code> })}
        </p>
      )}
    </details>
  );
}

/** The receipt's outcomes in words. */
function statusWord(status: string): string {
  const words: Record<string, string> = { unaccounted: t("unaccounted"), cancelled: t("cancelled"), skipped: t("skipped") };
  return words[status] ?? visible(status);
}
