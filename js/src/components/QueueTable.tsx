import { formatBytes, formatNumber } from "../lib/format";
import { t } from "../lib/i18n";
import type { Item } from "../lib/queue";
import { visible } from "../lib/text";
import { Bar } from "./Bar";
import { Icon } from "./Icon";

const SHOWN = 100; // rows; more would only slow the page down

/** The chosen files: how far each is, and why one cannot go. */
export function QueueTable({ items, onRemove }: { items: Item[]; onRemove: (id: string) => void }) {
  const failed = items.filter((item) => item.status === "failed");
  const rows = [...failed, ...items.filter((item) => item.status !== "failed")].slice(0, SHOWN);
  const more = items.length - rows.length;
  return (
    <div class="dnb-scroll" tabIndex={0} role="group" aria-label={t("Chosen files")}>
      <table class="dnb-table dnb-queue">
        <thead>
          <tr>
            <th scope="col">{t("File")}</th>
            <th scope="col" class="dnb-number">
              {t("Size")}
            </th>
            <th scope="col">{t("State")}</th>
            <th scope="col">
              <span class="dnb-spoken">{t("Remove")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((item) => (
            <Row key={item.id} item={item} onRemove={onRemove} />
          ))}
        </tbody>
      </table>
      {more > 0 && <p class="dnb-muted">{t("and {count} more", { count: formatNumber(more) })}</p>}
    </div>
  );
}

function Row({ item, onRemove }: { item: Item; onRemove: (id: string) => void }) {
  const cut = item.path.lastIndexOf("/") + 1;
  return (
    <tr>
      <td class="dnb-name">
        <bdi>
          {cut > 0 && <span class="dnb-muted">{visible(item.path.slice(0, cut))}</span>}
          {visible(item.path.slice(cut))}
        </bdi>
        {item.problem && (
          <p class="dnb-problem">
            {item.problem.message} <span class="dnb-muted">{item.problem.remedy}</span>
          </p>
        )}
      </td>
      <td class="dnb-number">{formatBytes(item.size)}</td>
      <td class="dnb-state">
        <State item={item} />
      </td>
      <td class="dnb-last">
        <button type="button" class="dnb-quiet" aria-label={t("Remove {path}", { path: visible(item.path) })} title={t("Remove")} onClick={() => onRemove(item.id)}>
          ✕
        </button>
      </td>
    </tr>
  );
}

function State({ item }: { item: Item }) {
  switch (item.status) {
    case "received":
      return (
        <>
          <Icon name="ok" /> {t("Ready")}
        </>
      );
    case "failed":
      return (
        <span class="dnb-failed">
          <Icon name="fail" /> {t("Left out")}
        </span>
      );
    default:
      return item.received || item.status === "sending" ? (
        <Bar value={item.received / item.size} label={t("Receiving {path}", { path: visible(item.path) })} />
      ) : (
        <span class="dnb-muted">{t("Waiting")}</span>
      );
  }
}
