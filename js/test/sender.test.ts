import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { xxh32 } from "../src/lib/xxh32";
import type { Problem } from "../src/lib/messages";
import type { Chunk, Range } from "../src/lib/upload_messages";
import { RequestError } from "../src/lib/requests";
import { ACK_WITHIN_MS, HUGE_BYTES, LARGE_BYTES, MOST_QUESTIONS, MOST_TRIES, QUICK_MS, Sender, SMALL_BYTES } from "../src/lib/sender";

// Quick to look through byte by byte.
const LARGE = 800;
const SMALL = 100;

/** A kernel that keeps what it gets, behind a line that a test may damage. */
class Kernel {
  readonly sent: Chunk[] = [];
  readonly failed = new Map<string, Problem>();
  readonly moved = new Map<string, number>();
  stalls: boolean[] = [];
  questions = 0;
  /** True swallows the message on its way. */
  loses: (chunk: Chunk) => boolean = () => false;
  /** True answers nothing at all. */
  silent = false;
  takesMs = 5;
  acknowledge: (chunk: Chunk) => void = (chunk) => this.ack(chunk);
  readonly #disk = new Map<string, Uint8Array>();
  readonly #has = new Map<string, boolean[]>();
  #most = 0;
  #flying = 0;
  readonly sender: Sender;

  constructor(huge = LARGE) {
    this.sender = new Sender(
      {
        send: (chunk, bytes) => {
          this.sent.push(chunk);
          this.#flying += 1;
          this.#most = Math.max(this.#most, this.#flying);
          if (this.loses(chunk)) return;
          expect(xxh32(new Uint8Array(bytes))).toBe(chunk.xxh32);
          setTimeout(() => {
            this.#disk.get(chunk.file)!.set(new Uint8Array(bytes), chunk.offset);
            this.#has.get(chunk.file)!.fill(true, chunk.offset, chunk.offset + chunk.length);
            if (!this.silent) this.acknowledge(chunk);
          }, this.takesMs);
        },
        ask: (file) => {
          this.questions += 1;
          return new Promise((resolve) => {
            if (!this.silent) setTimeout(() => resolve({ received: this.received(file), missing: this.missing(file) }), 5);
          });
        },
      },
      {
        moved: (file, bytes) => this.moved.set(file, bytes),
        failed: (file, problem) => this.failed.set(file, problem),
        stalled: (stalled) => this.stalls.push(stalled),
      },
      { huge, large: LARGE, small: SMALL },
    );
  }

  get mostInFlight(): number {
    return this.#most;
  }

  take(id: string, size: number): Uint8Array {
    const content = new Uint8Array(size);
    for (let at = 0; at < size; at += 1) content[at] = (at * 7) % 251;
    this.#disk.set(id, new Uint8Array(size));
    this.#has.set(id, new Array<boolean>(size).fill(false));
    this.sender.add({ id, blob: new Blob([content as Uint8Array<ArrayBuffer>]) });
    return content;
  }

  ack({ file, offset, length }: Chunk): void {
    this.#flying -= 1;
    this.sender.onAck({ kind: "ack", file, offset, length, received: this.received(file) });
  }

  disk(id: string): Uint8Array {
    return this.#disk.get(id)!;
  }

  received(file: string): number {
    const gap = this.#has.get(file)!.indexOf(false);
    return gap < 0 ? this.#has.get(file)!.length : gap;
  }

  missing(file: string): Range[] {
    const has = this.#has.get(file)!;
    const gaps: Range[] = [];
    for (let at = has.indexOf(false); at >= 0; ) {
      const end = has.indexOf(true, at);
      gaps.push({ offset: at, length: (end < 0 ? has.length : end) - at });
      at = end < 0 ? -1 : has.indexOf(false, end);
    }
    return gaps;
  }
}

/** Time for whatever is under way to arrive. */
const pass = async (ms: number) => vi.advanceTimersByTimeAsync(ms);
const done = async (kernel: Kernel, file: string) => {
  for (let turn = 0; turn < 200 && kernel.moved.get(file) !== kernel.disk(file).length; turn += 1) await pass(500);
};

let kernel: Kernel;
beforeEach(() => {
  vi.useFakeTimers();
  kernel = new Kernel();
});
afterEach(async () => {
  kernel.sender.dispose();
  await pass(100);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("a good line", () => {
  it("carries a file whole, in large pieces, one until it is proved and then a window of eight", async () => {
    kernel.takesMs = QUICK_MS;
    const content = kernel.take("a", 12 * LARGE + 17);
    await done(kernel, "a");

    expect(kernel.disk("a")).toEqual(content);
    expect(kernel.sent.map((chunk) => chunk.length)).toEqual([...Array<number>(12).fill(LARGE), 17]);
    expect(kernel.mostInFlight).toBeLessThanOrEqual(8);
    expect(kernel.mostInFlight).toBeGreaterThan(4);
    expect(kernel.questions).toBe(0);
  });

  it("carries larger pieces while it is quick, and the usual ones otherwise", async () => {
    const [quick, slow, turns] = [new Kernel(3 * LARGE), new Kernel(3 * LARGE), new Kernel(3 * LARGE)];
    slow.takesMs = QUICK_MS;
    turns.acknowledge = (chunk) => {
      turns.takesMs = chunk.offset < 4 * LARGE ? 5 : QUICK_MS;
      turns.ack(chunk);
    };
    const lengths = [];
    for (const kernel of [quick, slow, turns]) {
      const content = kernel.take("a", 40 * LARGE);
      await done(kernel, "a");
      expect(kernel.disk("a")).toEqual(content);
      lengths.push(kernel.sent.map((chunk) => chunk.length / LARGE));
    }

    expect(lengths[0]).toEqual([1, ...Array<number>(13).fill(3)]);
    expect(lengths[1]).toEqual(Array<number>(40).fill(1));
    expect(lengths[2]!.slice(0, 2)).toEqual([1, 3]);
    expect(lengths[2]!.slice(-8)).toEqual(Array<number>(8).fill(1));
  });

  it("sends many small files together", async () => {
    const contents = Array.from({ length: 100 }, (_, index) => kernel.take(`f${index}`, 100 + index));
    await pass(200);

    contents.forEach((content, index) => expect(kernel.disk(`f${index}`)).toEqual(content));
    expect(kernel.mostInFlight).toBeGreaterThan(8);
  });

  it("counts what was acknowledged, not what was sent", async () => {
    kernel.acknowledge = () => undefined;
    kernel.take("a", 3 * LARGE);
    await pass(100);
    expect(kernel.moved.get("a")).toBeUndefined();
    kernel.ack(kernel.sent[0]!);

    expect(kernel.moved.get("a")).toBe(LARGE);
  });
});

describe("a bad line", () => {
  it("that swallows large messages makes the pieces small", async () => {
    kernel.loses = (chunk) => chunk.length > SMALL;
    const content = kernel.take("a", 3 * LARGE + 5);
    await done(kernel, "a");

    expect(kernel.disk("a")).toEqual(content);
    expect(kernel.sent.filter((chunk) => chunk.length > SMALL)).toHaveLength(1);
    expect(kernel.failed.size).toBe(0);
  });

  it("that loses pieces now and then gets them again, and no others", async () => {
    let count = 0;
    kernel.loses = () => (count += 1) % 5 === 3;
    const content = kernel.take("a", 20 * LARGE);
    await done(kernel, "a");

    expect(kernel.disk("a")).toEqual(content);
    const bytes = kernel.sent.reduce((sum, chunk) => sum + chunk.length, 0);
    expect(bytes).toBeLessThan(1.5 * content.length);
  });

  it("that loses acknowledgements costs a question, not the pieces again", async () => {
    let count = 0;
    kernel.acknowledge = (chunk) => ((count += 1) === 1 ? undefined : kernel.ack(chunk));
    kernel.take("a", LARGE);
    await done(kernel, "a");

    expect(kernel.sent).toHaveLength(1);
    expect(kernel.questions).toBe(1);
  });

  it("that turns the order round and doubles acknowledgements does no harm", async () => {
    const waiting: Chunk[] = [];
    kernel.acknowledge = (chunk) => {
      if (chunk.offset === 0) return kernel.ack(chunk);
      waiting.push(chunk);
      if (waiting.length === 4) for (const late of waiting.splice(0).reverse()) (kernel.ack(late), kernel.ack(late));
    };
    const content = kernel.take("a", 9 * LARGE);
    await done(kernel, "a");

    expect(kernel.disk("a")).toEqual(content);
    expect(kernel.sent).toHaveLength(9);
    expect(kernel.moved.get("a")).toBe(content.length);
  });

  it("that damages a piece gets it again at once", async () => {
    let damaged = 0;
    kernel.acknowledge = (chunk) => {
      if ((damaged += 1) > 1) return kernel.ack(chunk);
      kernel.sender.onNack({ kind: "nack", file: chunk.file, offset: chunk.offset, length: chunk.length, reason: "xxh32" });
    };
    kernel.take("a", SMALL);
    await pass(100);

    expect(kernel.sent).toHaveLength(2);
    expect(kernel.moved.get("a")).toBe(SMALL);
  });

  it("that never lets a piece through names the file and the way round", async () => {
    kernel.loses = () => true;
    kernel.take("a", SMALL);
    await pass(10 * ACK_WITHIN_MS);

    expect(kernel.sent).toHaveLength(MOST_TRIES);
    expect(kernel.failed.get("a")!.remedy).toContain("ws.upload(path)");
  });
});

describe("a silent kernel", () => {
  it("is asked, not flooded: a running cell may hold it up for minutes", async () => {
    kernel.silent = true;
    kernel.take("a", 20 * LARGE);
    await pass(120_000);
    expect(kernel.sent).toHaveLength(1);
    expect(kernel.stalls.at(-1)).toBe(true);
    expect(kernel.failed.size).toBe(0);

    kernel.silent = false;
    await done(kernel, "a");
    expect(kernel.received("a")).toBe(20 * LARGE);
    expect(kernel.stalls.at(-1)).toBe(false);
  });

  it("is given up on in the end", async () => {
    kernel.silent = true;
    kernel.take("a", 1000);
    kernel.take("b", 1000);
    await pass((MOST_QUESTIONS + 3) * ACK_WITHIN_MS);

    expect([...kernel.failed.keys()]).toEqual(["a", "b"]);
    expect(kernel.questions).toBe(MOST_QUESTIONS);
  });
});

it("a removed file stops, and the next one goes on", async () => {
  kernel.take("a", 20 * LARGE);
  const content = kernel.take("b", 5000);
  await pass(7);
  kernel.sender.remove("a");
  const sent = kernel.sent.filter((chunk) => chunk.file === "a").length;
  await done(kernel, "b");

  expect(kernel.disk("b")).toEqual(content);
  expect(kernel.sent.filter((chunk) => chunk.file === "a")).toHaveLength(sent);
  expect(kernel.failed.size).toBe(0);
});

it("a file that cannot be read is named, and the others go on", async () => {
  const broken = { size: 10, slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException("gone", "NotFoundError")) }) };
  kernel.sender.add({ id: "a", blob: broken as unknown as Blob });
  const content = kernel.take("b", 500);
  await pass(100);

  expect(kernel.failed.get("a")!.message).toContain("could not read");
  expect(kernel.disk("b")).toEqual(content);
});

it("nothing ticks once the last file is gone, whether it arrived or was removed", async () => {
  kernel.take("a", 20 * LARGE);
  await pass(7);
  kernel.sender.remove("a");
  await pass(100);

  expect(vi.getTimerCount()).toBe(0);
});

describe("a kernel that is gone", () => {
  const gone = () => {
    const failed = new Map<string, Problem>();
    const no = () => {
      throw new Error("Cannot send");
    };
    const sender = new Sender({ send: no, ask: no }, { moved: no, failed: (file, problem) => failed.set(file, problem), stalled: no });
    return { sender, failed };
  };

  it("is not taken for a file that cannot be read, and ends every file at once", async () => {
    const { sender, failed } = gone();
    for (const id of ["a", "b", "c"]) sender.add({ id, blob: new Blob(["x"]) });
    await pass(100);

    expect([...failed.keys()]).toEqual(["a", "b", "c"]);
    expect(failed.get("a")!.message).toContain("kernel behind this widget is gone");
    expect(vi.getTimerCount()).toBe(0);
  });
});

it("a file the kernel has forgotten is given up alone, with the kernel's words", async () => {
  const failed = new Map<string, Problem>();
  const sender = new Sender(
    { send: () => undefined, ask: (file) => (file === "a" ? Promise.reject(new RequestError({ message: "Unknown.", remedy: "Again." })) : new Promise(() => undefined)) },
    { moved: () => undefined, failed: (file, problem) => failed.set(file, problem), stalled: () => undefined },
  );
  for (const id of ["a", "b"]) sender.add({ id, blob: new Blob(["x"]) });
  await pass(2 * ACK_WITHIN_MS);
  sender.dispose();

  expect([...failed]).toEqual([["a", { message: "Unknown.", remedy: "Again." }]]);
});

it("pieces stay far below the 10 MiB at which a websocket is closed", async () => {
  const lengths: number[] = [];
  const blob = { size: 9e6, slice: (from: number, to: number) => ({ arrayBuffer: async () => new ArrayBuffer(to - from) }) };
  const sender = new Sender(
    { send: ({ offset, length, file }) => (lengths.push(length), setTimeout(() => sender.onAck({ kind: "ack", file, offset, length, received: offset + length }))), ask: () => Promise.reject(new Error()) },
    { moved: () => undefined, failed: () => undefined, stalled: () => undefined },
  );
  sender.add({ id: "a", blob: blob as unknown as Blob });
  await pass(100);
  sender.dispose();

  expect(lengths).toEqual([LARGE_BYTES, HUGE_BYTES, 9e6 - LARGE_BYTES - HUGE_BYTES]);
  expect([SMALL_BYTES, LARGE_BYTES, HUGE_BYTES].map((size) => size / 2 ** 20)).toEqual([0.5, 2, 6]);
});
