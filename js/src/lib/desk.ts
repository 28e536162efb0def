// Where an uploader's files are handed over. All that deals with them is a part, fetched when there are some.
import type { AnyModel } from "@anywidget/types";
import type { Chosen } from "./entries";
import type { Problem } from "./messages";
import { loadPart } from "./part";
import type { Queue } from "./queue";
import { problemOf, Requests } from "./requests";

const SLOW_AFTER_MS = 3000;

export type FilesPart = typeof import("../parts/files");

export class Desk {
  part: FilesPart | null = null;
  queue: Queue | null = null;
  /** The part was asked for some time ago and has not come yet. */
  slow = false;
  problem: Problem | null = null;
  readonly #model: AnyModel;
  readonly #requests: Requests;
  readonly #views = new Set<() => void>();
  #opening: Promise<Queue | null> | null = null;

  constructor(model: AnyModel) {
    this.#model = model;
    this.#requests = new Requests(model);
  }

  dispose(): void {
    this.queue?.dispose();
    this.#requests.dispose();
    this.#views.clear();
  }

  subscribe(view: () => void): () => void {
    this.#views.add(view);
    return () => this.#views.delete(view);
  }

  async add(chosen: Chosen[], limit: number): Promise<void> {
    await (await this.open())?.add(chosen, limit);
  }

  open(): Promise<Queue | null> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open(): Promise<Queue | null> {
    this.problem = null;
    const timer = setTimeout(() => {
      this.slow = true;
      this.#changed();
    }, SLOW_AFTER_MS);
    try {
      this.part = await loadPart<FilesPart>(this.#requests, "files");
      this.queue = new this.part.Queue(this.#model);
      this.queue.subscribe(this.#changed);
    } catch (reason) {
      this.problem = problemOf(reason);
      this.#opening = null; // the next file tries again
    }
    clearTimeout(timer);
    this.slow = false;
    this.#changed();
    return this.queue;
  }

  readonly #changed = (): void => {
    for (const view of this.#views) view();
  };
}
