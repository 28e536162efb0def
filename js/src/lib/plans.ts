// What the kernel says would become of the files, and of the metadata typed for them. Nothing is sent to the platform.
import { problemOf, notUnderstood, type Requests } from "./requests";
import type { Problem } from "./messages";
import { is } from "./shape";
import { metaResult, planResult, type Hazard, type MetaProblem, type Plan } from "./upload_messages";

const ASK_AFTER_MS = 150; // of quiet
const ALL = ""; // the key of the metadata of all files

export class Plans {
  plan: Plan | null = null;
  problem: Problem | null = null;
  readonly #metaProblems = new Map<string, MetaProblem>();
  #hazards = new Map<string, Hazard>();
  #judged = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly requests: Requests,
    private readonly page: string,
    private readonly changed: () => void,
  ) {}

  /** Ask soon, for `ids`: null while the files are not all there. */
  ask(ids: () => string[] | null): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(ids()), ASK_AFTER_MS);
  }

  async #ask(ids: string[] | null): Promise<void> {
    if (!ids) return;
    try {
      const answer = await this.requests.call("plan", { write_mode: "KEEP", page: this.page });
      if (!is(planResult, answer)) throw notUnderstood();
      this.plan = answer;
      this.problem = null;
      this.#hazards = new Map(answer.hazards.map((hazard) => [hazard.file, hazard]));
      this.#judged = new Set(ids);
    } catch (reason) {
      this.problem = problemOf(reason);
    }
    this.changed();
  }

  hazard(id: string): Hazard | null {
    return this.#hazards.get(id) ?? null;
  }

  /** Whether the plan knows this file. */
  judged(id: string): boolean {
    return this.#judged.has(id) || this.problem !== null;
  }

  // ---- metadata, of a file or, with null, of all

  metaProblem(id: string | null): MetaProblem | null {
    return this.#metaProblems.get(id ?? ALL) ?? null;
  }

  get hasMetaProblem(): boolean {
    return this.#metaProblems.size > 0;
  }

  /** Hands over what was typed; the kernel keeps it if it can be sent. */
  async setMeta(id: string | null, text: string, isLatest: () => boolean): Promise<void> {
    const answer = await this.requests.call("meta", { file: id, text }).catch(() => null);
    if (!is(metaResult, answer) || !isLatest()) return;
    if (answer.problem) this.#metaProblems.set(id ?? ALL, answer.problem);
    else this.#metaProblems.delete(id ?? ALL);
  }

  forget(id: string): void {
    this.#metaProblems.delete(id);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.plan = this.problem = null;
    this.#metaProblems.clear();
    this.#hazards.clear();
    this.#judged.clear();
  }
}
