import { formatBytes } from "../lib/format";
import { t } from "../lib/i18n";
import type { Queue } from "../lib/queue";
import { visible } from "../lib/text";
import { Bar } from "./Bar";

const SHOWN = 6; // as many as a browser sends at a time

/** The files that this page is posting right now. */
export function OnTheWay({ queue }: { queue: Queue }) {
  const moving = queue.items.filter((item) => queue.posting.has(item.id)).slice(0, SHOWN);
  return (
    <ul class="dnb-way">
      {moving.map((item) => (
        <li key={item.id}>
          <bdi class="dnb-name">{visible(item.path, 80)}</bdi>
          <Bar value={item.received / item.size} label={t("Sending {path}", { path: visible(item.path) })} />
          <span class="dnb-number dnb-muted">{formatBytes(item.size)}</span>
        </li>
      ))}
    </ul>
  );
}
