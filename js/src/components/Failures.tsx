import { fileCount, formatNumber } from "../lib/format";
import type { Failure } from "../lib/messages";
import { visible } from "../lib/text";

/** The files that did not make it: which, why, and what to do. */
export function Failures({ failures, total }: { failures: Failure[]; total: number }) {
  if (!total) return null;
  const more = total - failures.length;
  return (
    <details class="dnb-failures" open>
      <summary>{fileCount(total)} did not make it</summary>
      <div class="dnb-scroll" tabIndex={0} role="group" aria-label="Files that did not make it">
        <table class="dnb-table dnb-stack">
          <thead>
            <tr>
              <th scope="col">File</th>
              <th scope="col">What happened</th>
              <th scope="col">What to do</th>
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
                  {failure.status !== "failed" && <span class="dnb-muted"> ({visible(failure.status)})</span>}
                </td>
                <td>{visible(failure.remedy, 600)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {more > 0 && (
        <p class="dnb-muted">
          and {formatNumber(more)} more in <code>job.receipt</code>
        </p>
      )}
    </details>
  );
}
