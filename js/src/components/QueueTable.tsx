import { formatBytes, formatNumber } from "../lib/format";
import { t } from "../lib/i18n";
import { isReady, type Item, type Queue } from "../lib/queue";
import { visible } from "../lib/text";
import { Bar } from "./Bar";
import { Icon } from "./Icon";

const SHOWN = 100; // rows; more would only slow the page down

type Props = { queue: Queue; limit: number; editing: string | null; onEdit: (id: string) => void };

/** The chosen files: how far each is, and what is in the way of those that cannot go. */
export function QueueTable({ queue, limit, editing, onEdit }: Props) {
  const { items } = queue;
  // What needs looking at comes first: nobody scrolls through three hundred files to find it.
  const rank = (item: Item) => (item.status === "failed" ? 0 : queue.plans.hazard(item.id) ? 1 : 2);
  const rows = [0, 1, 2].flatMap((wanted) => items.filter((item) => rank(item) === wanted)).slice(0, SHOWN);
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
            <th scope="col" class="dnb-state">
              {t("State")}
            </th>
            <th scope="col">
              <span class="dnb-spoken">{t("Actions")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((item) => (
            <Row key={item.id} item={item} queue={queue} limit={limit} open={editing === item.id} onEdit={onEdit} />
          ))}
        </tbody>
      </table>
      {more > 0 && <p class="dnb-muted">{t("and {count} more", { count: formatNumber(more) })}</p>}
    </div>
  );
}

function Row({ item, queue, limit, open, onEdit }: { item: Item; queue: Queue; limit: number; open: boolean; onEdit: (id: string) => void }) {
  const cut = item.path.lastIndexOf("/") + 1;
  const path = visible(item.path);
  const hazard = item.problem ? null : queue.plans.hazard(item.id);
  const { message, remedy } = item.problem ?? { message: hazard?.reason ?? "", remedy: hazard?.remedy ?? "" };
  return (
    <tr>
      <td class="dnb-name">
        <bdi>
          {cut > 0 && <span class="dnb-muted">{visible(item.path.slice(0, cut))}</span>}
          {visible(item.path.slice(cut))}
        </bdi>
        {item.meta.trim() && !open && <span class="dnb-tag">{t("own metadata")}</span>}
        {message && (
          <p class="dnb-problem">
            {visible(message, 400)} <span class="dnb-muted">{visible(remedy, 400)}</span>
          </p>
        )}
      </td>
      <td class="dnb-number">{formatBytes(item.size)}</td>
      <td class="dnb-state">
        <State item={item} queue={queue} />
      </td>
      <td class="dnb-last">
        {item.status === "failed" && item.file && item.size <= limit && (
          <button type="button" class="dnb-quiet" aria-label={t("Try {path} again", { path })} title={t("Try again")} onClick={() => void queue.retry(item.id, limit)}>
            ↻
          </button>
        )}
        {isReady(item) && !isSidecar(item) && (
          <button
            type="button"
            class="dnb-quiet"
            aria-label={t("Metadata of {path}", { path })}
            title={t("Metadata")}
            aria-expanded={open}
            onClick={() => onEdit(item.id)}
          >
            {"{ }"}
          </button>
        )}
        <button
          type="button"
          class="dnb-quiet"
          data-dnb="remove"
          aria-label={t("Remove {path}", { path })}
          title={t("Remove")}
          onClick={(event) => {
            focusNext(event.currentTarget);
            void queue.remove(item.id);
          }}
        >
          ✕
        </button>
      </td>
    </tr>
  );
}

/** So that several rows can be removed one after the other. */
function focusNext(button: HTMLElement): void {
  const row = button.closest("tr");
  (row?.nextElementSibling ?? row?.previousElementSibling)?.querySelector<HTMLElement>("[data-dnb=remove]")?.focus();
}

const isSidecar = (item: Item): boolean => item.path.endsWith(".meta.json");

function State({ item, queue }: { item: Item; queue: Queue }) {
  const hazard = queue.plans.hazard(item.id);
  if (item.status === "failed" || (isReady(item) && hazard && hazard.action !== "send")) {
    const refused = item.status === "failed" || hazard?.action === "refuse";
    return (
      <span class={refused ? "dnb-failed" : "dnb-skipped"}>
        <Icon name={refused ? "fail" : "stop"} /> {refused ? t("Cannot go up") : t("Left out")}
      </span>
    );
  }
  if (!isReady(item)) {
    return item.received || item.status === "sending" ? (
      <Bar value={item.received / item.size} label={t("Receiving {path}", { path: visible(item.path) })} />
    ) : (
      <span class="dnb-muted">{t("Waiting")}</span>
    );
  }
  if (!queue.plans.judged(item.id)) return <span class="dnb-muted">{queue.isComing ? t("Received") : t("Checking…")}</span>;
  if (hazard) {
    return (
      <span class="dnb-warned">
        <Icon name="warn" /> {t("Ready")}
      </span>
    );
  }
  return (
    <>
      <Icon name="ok" /> {isSidecar(item) ? t("Metadata") : t("Ready")}
    </>
  );
}
