// The files of one uploader: chosen, on their way to the kernel or held here for the direct lane. Lives as long as the
// widget's model, so that a view that is scrolled away, shown twice or drawn again loses nothing.
import type { AnyModel } from "@anywidget/types";
import { Direct } from "./direct";
import { isHidden, type Chosen } from "./entries";
import { formatBytes, formatLimit } from "./format";
import { plural, t } from "./i18n";
import type { Problem } from "./messages";
import { Plans } from "./plans";
import { newId, notUnderstood, problemOf, Requests } from "./requests";
import { Sender, unreadable } from "./sender";
import { is } from "./shape";
import {
  ack,
  beginResult,
  codeResult,
  listResult,
  nack,
  receivedResult,
  refused,
  uploaderState,
  type WriteMode,
} from "./upload_messages";

export type Item = {
  id: string;
  path: string;
  size: number;
  /** When it was modified, by the browser's account. */
  changed: number;
  /** Null in a page that was reloaded. */
  file: File | null;
  /** Bytes the kernel has acknowledged, or this page has posted. */
  received: number;
  /** `held`: it stays here until the upload, which posts it from here. */
  status: "waiting" | "sending" | "received" | "held" | "failed";
  problem: Problem | null;
  /** Metadata of its own, as it was typed. */
  meta: string;
};

const BATCH = 200; // files announced in one request
const NOTIFY_MS = 250; // smooth enough for a bar, and drawing costs as much as sending
const SLOW_AFTER_MS = 3000; // without an answer

export class Queue {
  readonly page = newId();
  readonly #items = new Map<string, Item>();
  /** Those that this page is sending to the bucket right now. */
  readonly posting = new Set<string>();
  /** Something worth saying about what was chosen last. */
  remark = "";
  stalled = false;
  /** What the kernel says an upload would do. */
  readonly plans: Plans;
  /** Metadata of all files, as it was typed. */
  meta = "";
  mode: WriteMode = "KEEP";
  readonly #requests: Requests;
  readonly #sender: Sender;
  readonly #direct: Direct;
  readonly #brought = new Map<string, (arrived: boolean) => void>();
  readonly #views = new Set<() => void>();
  readonly #keys = new Map<string, string>();
  #hadJob = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly model: AnyModel) {
    this.#requests = new Requests(model);
    this.plans = new Plans(this.#requests, this.page, () => this.#changed());
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
          if (this.#arrived(file, false)) return; // the kernel gives that file its outcome
          this.#failed(file, problem);
          void this.#drop(file);
        },
        stalled: (stalled) => this.#stall(stalled),
      },
    );
    this.#direct = new Direct({
      id: this.page,
      say: (message) => void this.#requests.say(message),
      file: (id) => this.#items.get(id)?.file ?? null,
      bring: (id) =>
        new Promise((resolve) => {
          this.#brought.set(id, resolve);
          this.#sender.add({ id, blob: this.#items.get(id)!.file! });
        }),
      leave: (id) => {
        this.#brought.delete(id);
        this.#sender.remove(id);
      },
      moved: (id, bytes, posting) => {
        if (posting) this.posting.add(id);
        else this.posting.delete(id);
        this.#show(id, bytes);
      },
    });
    model.on("msg:custom", this.#receive);
    model.on("change:state", this.#followJob);
    this.#followJob();
    void this.#restore();
  }

  dispose(): void {
    this.model.off("msg:custom", this.#receive);
    this.model.off("change:state", this.#followJob);
    clearTimeout(this.#timer);
    this.plans.clear();
    this.#direct.dispose();
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

  /** Whether files are still on their way to the kernel. */
  get isComing(): boolean {
    return this.items.some((item) => item.status === "waiting" || item.status === "sending");
  }

  async add(chosen: Chosen[], limit: number): Promise<void> {
    const fresh: Item[] = [];
    let hidden = 0;
    let known = 0;
    for (const { file, path } of chosen.sort(byPath)) {
      const { size = 0, lastModified: changed = 0 } = file ?? {};
      const key = keyOf({ path, size, changed });
      const before = this.#keys.get(key) ?? "";
      if (isHidden(path)) hidden += 1;
      else if (before && this.#items.get(before)?.status !== "failed") known += 1;
      else {
        this.#items.delete(before); // another try
        const item: Item = { id: newId(), path, size, changed, file, received: 0, status: "waiting", problem: null, meta: "" };
        this.#keys.set(key, item.id);
        this.#items.set(item.id, item);
        if (!file) this.#failed(item.id, unreadable());
        else if (size > limit) {
          this.#failed(item.id, {
            message: t("Too big: {size}. The platform takes files of up to {limit}.", { size: formatBytes(size), limit: formatLimit(limit) }),
            remedy: t("Split it and upload the parts: a text by its lines (on Linux: split -C 1G --additional-suffix=.txt FILE), a PDF by its pages. No other way takes more."),
          });
        } else fresh.push(item);
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

  async remove(...ids: string[]): Promise<void> {
    const gone = ids.flatMap((id) => this.#items.get(id) ?? []);
    for (const item of gone) {
      this.#items.delete(item.id);
      this.#keys.delete(keyOf(item));
      this.plans.forget(item.id);
      this.#sender.remove(item.id);
    }
    this.#replan();
    await Promise.all(gone.map(({ id }) => this.#drop(id)));
  }

  /** Once more, for one that failed on its way here. */
  async retry(id: string, limit: number): Promise<void> {
    const item = this.#items.get(id);
    if (item?.file && item.status === "failed") await this.add([{ file: item.file, path: item.path }], limit);
  }

  /** Takes what was typed for one file, or for all. */
  async setMeta(id: string | null, text: string): Promise<void> {
    const owner: { meta: string } | undefined = id === null ? this : this.#items.get(id);
    if (!owner) return;
    owner.meta = text;
    this.#changed();
    await this.plans.setMeta(id, text, () => owner.meta === text);
    this.#replan();
  }

  async code(): Promise<string> {
    const answer = await this.#requests.call("code", { write_mode: this.mode, page: this.page });
    return is(codeResult, answer) ? answer.code : "";
  }

  /** Asks the kernel anew, once all that was chosen is where it has to be. */
  #replan(): void {
    this.plans.ask(() => {
      const { items } = this;
      return this.#hadJob || this.isComing || !items.some(isReady) ? null : items.map((item) => item.id);
    });
    this.#changed();
  }

  // ---- to the kernel

  async #begin(batch: Item[]): Promise<void> {
    const files = batch.map(({ id, path, size, changed }) => ({ file: id, name: fileName(path), relative_path: path, size, changed }));
    const timer = setTimeout(() => this.#stall(true), SLOW_AFTER_MS);
    const { hostname, protocol } = location;
    const loopback = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
    try {
      const answer = await this.#requests.call("begin", { files, page: this.page, loopback, secure: protocol === "https:" });
      if (!is(beginResult, answer)) throw notUnderstood();
      for (const { file, error } of answer.refused) this.#failed(file, error);
      const wanted = new Set(answer.send);
      for (const item of batch) {
        if (!this.#items.has(item.id)) {
          void this.#drop(item.id); // removed meanwhile, perhaps before the kernel knew it
        } else if (item.status !== "waiting") {
          continue;
        } else if (!wanted.has(item.id)) {
          item.status = "held";
        } else if (item.size === 0) {
          item.status = "received";
        } else {
          item.status = "sending";
          this.#sender.add({ id: item.id, blob: item.file! });
        }
      }
    } catch (reason) {
      for (const { id } of batch) this.#failed(id, problemOf(reason));
    }
    clearTimeout(timer);
    this.#stall(false);
    this.#replan();
  }

  #stall(stalled: boolean): void {
    this.stalled = stalled;
    this.#changed();
  }

  /** After a page was reloaded: what the kernel holds already. The browser's own copies are gone. */
  async #restore(): Promise<void> {
    const held = await this.#requests.call("list", { page: this.page }).catch(() => null);
    if (!is(listResult, held)) return;
    this.meta ||= held.meta;
    for (const { file: id, relative_path: path, size, received, meta } of held.files) {
      if (this.#items.has(id)) continue;
      const whole = received >= size && size > 0;
      const message = received
        ? t("Only a part of this file reached the kernel before the page was reloaded.")
        : t("The page that held this file was reloaded or closed: browsers keep no file over that.");
      const problem = whole ? null : { message, remedy: t("Remove it and choose it again.") };
      this.#items.set(id, { id, path, size, changed: 0, file: null, received, status: whole ? "received" : "failed", problem, meta });
    }
    this.#replan();
  }

  // ---- from the kernel

  readonly #receive = (message: unknown): void => {
    if (is(ack, message)) this.#sender.onAck(message);
    else if (is(nack, message)) this.#sender.onNack(message);
    else if (is(refused, message)) {
      this.#sender.remove(message.file);
      if (!this.#arrived(message.file, false)) this.#failed(message.file, message.error);
    } else if ((message as { page?: string }).page === this.page) this.#direct.take(message);
  };

  /** Ends a fetch of the kernel, if there is one. */
  #arrived(id: string, whole: boolean): boolean {
    const tell = this.#brought.get(id);
    this.#brought.delete(id);
    tell?.(whole);
    return tell !== undefined;
  }

  #show(id: string, bytes: number): void {
    const item = this.#items.get(id);
    if (!item) return;
    item.received = bytes;
    this.#changed();
  }

  #moved(id: string, received: number): void {
    const item = this.#items.get(id);
    if (!item) return;
    this.#show(id, received);
    if (received < item.size || this.#arrived(id, true)) return;
    item.status = "received";
    this.#replan();
  }

  #failed(id: string, problem: Problem): void {
    const item = this.#items.get(id);
    if (item) Object.assign(item, { status: "failed", problem });
    this.#replan();
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
      this.plans.clear();
      this.remark = this.meta = "";
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

/** Whether an upload can take it. */
export const isReady = (item: Item): boolean => item.status === "received" || item.status === "held";

/** As people sort: browsers hand out folders in the disk's own order. */
const { compare } = new Intl.Collator(undefined, { numeric: true });
const byPath = (one: Chosen, other: Chosen): number => compare(one.path, other.path);

const fileName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

const keyOf = ({ path, size, changed }: Pick<Item, "path" | "size" | "changed">): string => `${path}\n${size}\n${changed}`;
