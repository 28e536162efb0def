// Rows of a long table by their position: what is in sight is fetched from the kernel in chunks, the latest are kept.
import type { Problem } from "./messages";
import { CHUNK } from "./messages_browsers";
import { problemOf } from "./requests";

export type Answer<R> = { revision: number; version: number; rows: R[]; total: number | null; extent: number };
type Chunk<R> = { rows: R[]; fresh: boolean };

const KEPT_CHUNKS = 40;
const AT_A_TIME = 2;
const SETTLED_MS = 40; // what only flies past is not fetched

export class Rows<R> {
  revision = -1;
  version = -1;
  total: number | null = null;
  /** How many rows there are to scroll through. */
  extent = 0;
  error: Problem | null = null;
  readonly #chunks = new Map<number, Chunk<R>>();
  readonly #asking = new Map<number, AbortController>();
  #wanted: number[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly ask: (chunk: number, signal: AbortSignal) => Promise<Answer<R>>,
    private readonly changed: () => void,
  ) {}

  at(index: number): R | undefined {
    return this.#chunks.get(Math.floor(index / CHUNK))?.rows[index % CHUNK];
  }

  find(is: (row: R) => boolean): R | undefined {
    for (const { rows } of this.#chunks.values()) {
      const found = rows.find(is);
      if (found) return found;
    }
    return undefined;
  }

  /** The first rows come with the state; true if it is another table from here on. */
  take(state: Answer<R>, complete: boolean): boolean {
    const another = state.revision !== this.revision;
    this.total = state.total;
    this.extent = state.extent;
    if (!another && state.version === this.version) return false;
    this.revision = state.revision;
    this.version = state.version;
    this.error = null;
    if (another) this.#forget();
    else this.outdate();
    this.#chunks.set(0, { rows: state.rows, fresh: complete });
    return another;
  }

  /** What is here may have changed: it is shown until it has come again. */
  outdate(): void {
    for (const chunk of this.#chunks.values()) chunk.fresh = false;
    for (const asking of this.#asking.values()) asking.abort();
    this.#asking.clear();
    this.#wanted = [];
  }

  /** These rows are in sight. */
  want(first: number, last: number): void {
    const from = Math.floor(Math.max(0, first) / CHUNK);
    const to = Math.floor(Math.max(0, Math.min(last, this.extent - 1)) / CHUNK);
    const wanted = this.extent ? Array.from({ length: to - from + 1 }, (_, index) => from + index) : [];
    if (wanted.join() === this.#wanted.join()) return;
    this.#wanted = wanted;
    for (const [chunk, asking] of this.#asking) {
      if (wanted.includes(chunk)) continue;
      asking.abort();
      this.#asking.delete(chunk);
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#pump(), SETTLED_MS);
  }

  again(): void {
    this.error = null;
    this.#pump();
    this.changed();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#forget();
  }

  #forget(): void {
    this.outdate();
    this.#chunks.clear();
  }

  #pump(): void {
    for (const chunk of this.#wanted) {
      if (this.#asking.size >= AT_A_TIME || this.error) return;
      if (!this.#chunks.get(chunk)?.fresh && !this.#asking.has(chunk)) void this.#fetch(chunk);
    }
  }

  async #fetch(chunk: number): Promise<void> {
    const asking = new AbortController();
    this.#asking.set(chunk, asking);
    try {
      const answer = await this.ask(chunk, asking.signal);
      if (this.#asking.get(chunk) !== asking || answer.revision !== this.revision) return;
      if (answer.version > this.version) {
        this.version = answer.version;
        for (const other of this.#chunks.values()) other.fresh = false;
      }
      this.total = answer.total;
      this.extent = answer.extent;
      this.#keep(chunk, answer.rows);
    } catch (reason) {
      if (this.#asking.get(chunk) === asking) this.error = problemOf(reason);
    } finally {
      if (this.#asking.get(chunk) === asking) {
        this.#asking.delete(chunk);
        this.#pump();
        this.changed();
      }
    }
  }

  #keep(chunk: number, rows: R[]): void {
    this.#chunks.delete(chunk);
    this.#chunks.set(chunk, { rows, fresh: true });
    for (const oldest of this.#chunks.keys()) {
      if (this.#chunks.size <= KEPT_CHUNKS) break;
      if (!this.#wanted.includes(oldest)) this.#chunks.delete(oldest);
    }
  }
}
