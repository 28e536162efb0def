// Files to the kernel, in acknowledged pieces over the widget's comm.
//
// A message above 10 MiB kills the websocket without a word, and an acknowledgement takes some 50 ms, so there is a
// window of pieces of 2 MiB; on a quick way of 6 MiB, as each message has its price. Only one of them flies until the
// first has come through whole: front ends with small messages (Colab) swallow it, and then the pieces become small.
// Messages may be lost, doubled and reordered.
// Silence is not loss: a kernel that runs a cell answers when the cell ends. So nothing is sent twice on a guess; a
// short question is asked instead, and what the kernel then says it lacks is sent again.
import { t } from "./i18n";
import type { Problem } from "./messages";
import { gone, problemOf } from "./requests";
import type { Ack, Chunk, Nack, Range } from "./upload_messages";
import { xxh32 } from "./xxh32";

export const HUGE_BYTES = 6 * 2 ** 20; // a kernel keeps some of them in memory
export const LARGE_BYTES = 2 * 2 ** 20; // on a slow way each still moves the bar every few seconds
export const SMALL_BYTES = 512 * 2 ** 10;
export const QUICK_MS = 1000; // from sending a piece to its acknowledgement, those before it included
const HUGE_WINDOW = 4; // pieces in flight
const LARGE_WINDOW = 8;
const SMALL_WINDOW = 16;
const MOST_IN_FLIGHT = 64; // pieces of tiny files
export const ACK_WITHIN_MS = 10_000;
export const MOST_QUESTIONS = 30; // unanswered in a row, ten seconds apart
export const MOST_TRIES = 5; // of one piece

export const unreadable = (): Problem => ({
  message: t("The browser could not read this file."),
  remedy: t("It was changed, moved or removed since it was chosen, or is not yours to read: choose it again."),
});

export type Outgoing = { id: string; blob: Blob };
export type Holding = { received: number; missing: Range[] };

export type Wire = {
  send: (message: Chunk, bytes: ArrayBuffer) => void;
  /** What the kernel holds of a file. */
  ask: (file: string, signal: AbortSignal) => Promise<Holding>;
};

export type Progress = {
  /** `acknowledged` bytes of a file are on the kernel's disk. */
  moved: (file: string, acknowledged: number) => void;
  failed: (file: string, problem: Problem) => void;
  /** The kernel has not answered for ten seconds, or does again. */
  stalled: (stalled: boolean) => void;
};

type Piece = Range & { file: string; tries: number; sentAt: number };

export class Sender {
  #small = false;
  #proved = false;
  #quick = false;
  #files = new Map<string, { blob: Blob; cut: number; acknowledged: number }>();
  #again: Piece[] = [];
  #flying = new Set<Piece>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #question: AbortController | null = null;
  #askedAt = 0;
  #questions = 0;

  constructor(
    private readonly wire: Wire,
    private readonly progress: Progress,
    private readonly sizes = { huge: HUGE_BYTES, large: LARGE_BYTES, small: SMALL_BYTES },
  ) {}

  add({ id, blob }: Outgoing): void {
    this.#files.set(id, { blob, cut: 0, acknowledged: 0 });
    this.#timer ??= setInterval(() => this.#watch(), 1000);
    this.#pump();
  }

  remove(id: string): void {
    this.#files.delete(id);
    this.#again = this.#again.filter((piece) => piece.file !== id);
    for (const piece of this.#flying) if (piece.file === id) this.#flying.delete(piece);
    if (!this.#files.size) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    this.#pump();
  }

  dispose(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#question?.abort();
    this.#files.clear();
    this.#flying.clear();
    this.#again = [];
  }

  onAck(ack: Ack): void {
    this.#heard();
    for (const piece of this.#flying) {
      if (piece.file !== ack.file) continue;
      const named = piece.offset >= ack.offset && piece.offset + piece.length <= ack.offset + ack.length;
      if (named || piece.offset + piece.length <= ack.received) this.#landed(piece);
    }
    this.#finish(ack.file, ack.received);
    this.#pump();
  }

  onNack(nack: Nack): void {
    this.#heard();
    for (const piece of this.#flying) {
      if (piece.file === nack.file && piece.offset === nack.offset && piece.length === nack.length) this.#resend(piece);
    }
    this.#pump();
  }

  // ---- sending

  #pump(): void {
    for (let piece = this.#next(); piece; piece = this.#next()) {
      piece.sentAt = Date.now();
      this.#flying.add(piece);
      void this.#send(piece);
    }
  }

  #next(): Piece | null {
    let bytes = 0;
    for (const piece of this.#flying) bytes += piece.length;
    const { huge, large, small } = this.sizes;
    const [size, most] = this.#small
      ? [small, SMALL_WINDOW]
      : this.#quick
        ? [huge, HUGE_WINDOW]
        : [large, this.#proved ? LARGE_WINDOW : 1];
    const fits = (length: number) => this.#flying.size < MOST_IN_FLIGHT && (bytes === 0 || bytes + length <= size * most);
    const [again] = this.#again;
    if (again) return fits(again.length) ? this.#again.shift()! : null;
    for (const [file, state] of this.#files) {
      const length = Math.min(size, state.blob.size - state.cut);
      if (length <= 0) continue;
      if (!fits(length)) return null;
      const piece = { file, offset: state.cut, length, tries: 1, sentAt: 0 };
      state.cut += length;
      return piece;
    }
    return null;
  }

  async #send(piece: Piece): Promise<void> {
    const blob = this.#files.get(piece.file)?.blob;
    if (!blob) return;
    const { file, offset, length } = piece;
    let bytes: ArrayBuffer;
    try {
      bytes = await blob.slice(offset, offset + length).arrayBuffer();
    } catch {
      this.#fail(file, unreadable());
      return;
    }
    if (!this.#flying.has(piece)) return; // removed meanwhile
    piece.sentAt = Date.now();
    try {
      this.wire.send({ kind: "chunk", file, offset, length, xxh32: xxh32(new Uint8Array(bytes)) }, bytes);
    } catch {
      this.#failAll(gone());
    }
  }

  #landed(piece: Piece): void {
    this.#flying.delete(piece);
    if (piece.length > this.sizes.small) {
      this.#proved = true;
      this.#quick = Date.now() - piece.sentAt < QUICK_MS;
    }
    const state = this.#files.get(piece.file);
    if (state) state.acknowledged += piece.length;
  }

  #finish(file: string, received: number): void {
    const state = this.#files.get(file);
    if (!state) return;
    const whole = received >= state.blob.size;
    this.progress.moved(file, whole ? state.blob.size : Math.min(state.acknowledged, state.blob.size - 1));
    if (whole) this.remove(file);
  }

  #resend(piece: Piece): void {
    this.#flying.delete(piece);
    if (piece.tries >= MOST_TRIES) {
      this.#fail(piece.file, {
        message: t("A part of this file did not arrive in {tries} tries.", { tries: MOST_TRIES }),
        remedy: t("Remove it and choose it again, or copy it to the kernel's disk and use ws.upload(path)."),
      });
      return;
    }
    const step = this.#small ? this.sizes.small : this.sizes.large;
    const end = piece.offset + piece.length;
    for (let offset = piece.offset; offset < end; offset += step) {
      this.#again.push({ ...piece, offset, length: Math.min(step, end - offset), tries: piece.tries + 1 });
    }
  }

  #fail(file: string, problem: Problem): void {
    if (!this.#files.has(file)) return;
    this.remove(file);
    this.progress.failed(file, problem);
  }

  #failAll(problem: Problem): void {
    for (const file of [...this.#files.keys()]) this.#fail(file, problem);
  }

  // ---- silence

  #heard(): void {
    this.#questions = 0;
    this.progress.stalled(false);
  }

  #watch(): void {
    const now = Date.now();
    let oldest: Piece | undefined;
    for (const piece of this.#flying) if (!oldest || piece.sentAt < oldest.sentAt) oldest = piece;
    if (!oldest || now - Math.max(oldest.sentAt, this.#askedAt) < ACK_WITHIN_MS) return;
    if (this.#questions >= MOST_QUESTIONS) {
      this.#failAll({
        message: t("The kernel has not answered for five minutes."),
        remedy: t("If it was restarted, run the cell again; else remove this file and choose it again."),
      });
      return;
    }
    if (this.#questions > 0) this.progress.stalled(true);
    void this.#inquire(oldest.file, now);
  }

  async #inquire(file: string, askedAt: number): Promise<void> {
    this.#question?.abort();
    const question = new AbortController();
    this.#question = question;
    this.#askedAt = askedAt;
    this.#questions += 1;
    try {
      const { received, missing } = await this.wire.ask(file, question.signal);
      this.#heard();
      for (const piece of this.#flying) {
        if (piece.file !== file || piece.sentAt > askedAt) continue;
        const end = piece.offset + piece.length;
        if (missing.some((gap) => gap.offset < end && piece.offset < gap.offset + gap.length)) {
          this.#small = true;
          this.#resend(piece);
        } else {
          this.#landed(piece);
        }
      }
      this.#askedAt = 0;
      this.#finish(file, received);
      this.#pump();
    } catch (reason) {
      // Refused: the file is gone from the kernel. Aborted: the next question has been asked.
      if (!question.signal.aborted) this.#fail(file, problemOf(reason));
    }
  }
}
