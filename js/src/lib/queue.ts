// The files of one uploader: chosen, on their way to the kernel, there. Lives as long as the widget's model, so that a
// view that is scrolled away, shown twice or drawn again loses nothing.
import type { AnyModel } from "@anywidget/types";
import { isHidden, type Chosen } from "./entries";
import { formatBytes, formatNumber } from "./format";
import { plural, t } from "./i18n";
import { ack, beginResult, listResult, nack, receivedResult, refused, uploaderState, type Problem } from "./messages";
import { newId, notUnderstood, problemOf, Requests } from "./requests";
import { Sender, unreadable } from "./sender";
import { is } from "./shape";

export type Item = {
  id: string;
  path: string;
  size: number;
  /** When it was modified, by the browser's account. */
  changed: number;
  /** Bytes the kernel has acknowledged. */
  received: number;
  status: "waiting" | "sending" | "received" | "failed";
  problem: Problem | null;
};

const JOB_GONE = "change:state";

const BATCH = 200; // files announced in one request
const NOTIFY_MS = 100;
const SLOW_AFTER_MS = 3000; // without an answer

export class Queue {
  readonly #items = new Map<string, Item>();
  /** Something worth saying about what was chosen last. */
  remark = "";
  stalled = false;
  readonly #requests: Requests;
  readonly #sender: Sender;
  readonly #views = new Set<() => void>();
  readonly #keys = new Map<string, string>();
  #hadJob = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly model: AnyModel) {
    this.#requests = new Requests(model);
    this.#sender = new Sender(
      {
        send: (message, bytes) => model.send(message, undefined, [bytes]),
        ask: async (file, signal) => {
          const held = await this.#requests.call("received", { file }, signal);
          if (!is(receivedResult, held)) throw notUnderstood();
          return held;
        },
      },
      {
        moved: (file, received) => this.#moved(file, received),
        failed: (file, problem) => {
          this.#failed(file, problem);
          void this.#drop(file);
        },
        stalled: (stalled) => this.#stall(stalled),
      },
    );
    model.on("msg:custom", this.#receive);
    model.on(JOB_GONE, this.#followJob);
    this.#followJob();
    void this.#restore();
  }

  dispose(): void {
    this.model.off("msg:custom", this.#receive);
    this.model.off(JOB_GONE, this.#followJob);
    clearTimeout(this.#timer);
    this.#sender.dispose();
    this.#requests.dispose();
    this.#views.clear();
  }

  subscribe(view: () => void): () => void {
    this.#views.add(view);
    return () => this.#views.delete(view);
  }

  get items(): Item[] {
    return [...this.#items.values()];
  }

  async add(chosen: Chosen[], limit: number): Promise<void> {
    const fresh: { item: Item; file: File }[] = [];
    let hidden = 0;
    let known = 0;
    for (const { file, path } of chosen) {
      const { size = 0, lastModified: changed = 0 } = file ?? {};
      const key = keyOf({ path, size, changed });
      const before = this.#keys.get(key) ?? "";
      if (isHidden(path)) hidden += 1;
      else if (before && this.#items.get(before)?.status !== "failed") known += 1;
      else {
        this.#items.delete(before); // another try
        const item: Item = { id: newId(), path, size, changed, received: 0, status: "waiting", problem: null };
        this.#keys.set(key, item.id);
        this.#items.set(item.id, item);
        if (!file) this.#failed(item.id, unreadable());
        else if (size > limit) {
          this.#failed(item.id, {
            message: t("Too big: {size}. The platform takes files of up to {limit}.", { size: formatBytes(size), limit: formatLimit(limit) }),
            remedy: t("Split it."),
          });
        } else fresh.push({ item, file });
      }
    }
    this.remark = [
      hidden && plural(hidden, "{count} hidden file was left out.", "{count} hidden files were left out."),
      known && plural(known, "{count} file is in the list already.", "{count} files are in the list already."),
      !chosen.length && t("There is no file in it."),
    ]
      .filter(Boolean)
      .join(" ");
    this.#changed();
    for (let at = 0; at < fresh.length; at += BATCH) await this.#begin(fresh.slice(at, at + BATCH));
  }

  async remove(id: string): Promise<void> {
    const item = this.#items.get(id);
    if (!item) return;
    this.#items.delete(id);
    this.#keys.delete(keyOf(item));
    this.#sender.remove(id);
    this.#changed();
    await this.#drop(id);
  }

  // ---- to the kernel

  async #begin(batch: { item: Item; file: File }[]): Promise<void> {
    const offered = batch.map(({ item }) => ({ file: item.id, name: fileName(item.path), relative_path: item.path, size: item.size }));
    const timer = setTimeout(() => this.#stall(true), SLOW_AFTER_MS);
    try {
      const answer = await this.#requests.call("begin", { files: offered });
      if (!is(beginResult, answer)) throw notUnderstood();
      for (const { file, error } of answer.refused) this.#failed(file, error);
      for (const { item, file } of batch) {
        if (!this.#items.has(item.id)) {
          void this.#drop(item.id); // removed meanwhile, perhaps before the kernel knew it
        } else if (item.status !== "waiting") {
          continue;
        } else if (item.size === 0) {
          item.status = "received";
        } else {
          item.status = "sending";
          this.#sender.add({ id: item.id, blob: file });
        }
      }
    } catch (reason) {
      for (const { item } of batch) this.#failed(item.id, problemOf(reason));
    }
    clearTimeout(timer);
    this.#stall(false);
  }

  #stall(stalled: boolean): void {
    this.stalled = stalled;
    this.#changed();
  }

  /** After a page was reloaded: what the kernel holds already. The browser's own copies are gone. */
  async #restore(): Promise<void> {
    const held = await this.#requests.call("list").catch(() => null);
    if (!is(listResult, held)) return;
    for (const { file, relative_path, size, received } of held.files) {
      if (this.#items.has(file)) continue;
      const whole = received >= size;
      const problem = whole
        ? null
        : { message: t("Only a part of this file reached the kernel before the page was reloaded."), remedy: t("Remove it and choose it again.") };
      this.#items.set(file, { id: file, path: relative_path, size, changed: 0, received, status: whole ? "received" : "failed", problem });
    }
    this.#changed();
  }

  // ---- from the kernel

  readonly #receive = (message: unknown): void => {
    if (is(ack, message)) this.#sender.onAck(message);
    else if (is(nack, message)) this.#sender.onNack(message);
    else if (is(refused, message)) {
      this.#sender.remove(message.file);
      this.#failed(message.file, message.error);
    }
  };

  #moved(id: string, received: number): void {
    const item = this.#items.get(id);
    if (!item) return;
    item.received = received;
    if (received >= item.size) item.status = "received";
    this.#changed();
  }

  #failed(id: string, problem: Problem): void {
    const item = this.#items.get(id);
    if (!item) return;
    item.status = "failed";
    item.problem = problem;
    this.#changed();
  }

  async #drop(file: string): Promise<void> {
    await this.#requests.call("remove", { file }).catch(() => undefined);
  }

  /** When an ended upload is put away, here or in another view, its files go with it. */
  readonly #followJob = (): void => {
    const state: unknown = this.model.get("state");
    const hasJob = is(uploaderState, state) && state.job !== null;
    if (this.#hadJob && !hasJob) {
      for (const id of this.#items.keys()) this.#sender.remove(id);
      this.#items.clear();
      this.#keys.clear();
      this.remark = "";
      this.#changed();
    }
    this.#hadJob = hasJob;
  };

  #changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const view of this.#views) view();
    }, NOTIFY_MS);
  }
}

const fileName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

const keyOf = ({ path, size, changed }: Pick<Item, "path" | "size" | "changed">): string => `${path}\n${size}\n${changed}`;

const GIB = 2 ** 30;

function formatLimit(bytes: number): string {
  return bytes % GIB === 0 ? `${formatNumber(bytes / GIB)} GiB` : formatBytes(bytes);
}
