import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Rows, type Answer } from "../src/lib/rows";

type Asked = { chunk: number; signal: AbortSignal; answer: (changes?: Partial<Answer<string>>) => Promise<void>; fail: (reason: Error) => Promise<void> };

function make(extent: number) {
  const asked: Asked[] = [];
  const changed = vi.fn();
  const page = (chunk: number) => Array.from({ length: Math.min(50, extent - chunk * 50) }, (_, index) => `row ${chunk * 50 + index}`);
  const rows = new Rows<string>(
    (chunk, signal) =>
      new Promise((resolve, reject) => {
        const settle = async (act: () => void) => {
          act();
          await vi.advanceTimersByTimeAsync(0);
        };
        asked.push({
          chunk,
          signal,
          answer: (changes = {}) => settle(() => resolve({ revision: 1, version: 1, rows: page(chunk), total: extent, extent, ...changes })),
          fail: (reason) => settle(() => reject(reason)),
        });
      }),
    changed,
  );
  rows.take({ revision: 1, version: 1, rows: page(0), total: extent, extent }, true);
  const want = async (first: number, last: number) => {
    rows.want(first, last);
    await vi.advanceTimersByTimeAsync(50);
  };
  return { rows, asked, want, changed };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("has the first rows of the state without asking", async () => {
  const { rows, asked, want } = make(100_000);
  await want(0, 20);

  expect([rows.at(0), rows.at(49), rows.at(50)]).toEqual(["row 0", "row 49", undefined]);
  expect(asked).toEqual([]);
});

it("fetches what is in sight, wherever that is", async () => {
  const { rows, asked, want, changed } = make(100_000);
  await want(73_990, 74_010);
  expect(asked.map((one) => one.chunk)).toEqual([1479, 1480]);
  await asked[0]!.answer();
  await asked[1]!.answer();

  expect(rows.at(74_000)).toBe("row 74000");
  expect(changed).toHaveBeenCalledTimes(2);
});

it("does not ask for what only flies past", async () => {
  const { rows, asked, want } = make(100_000);
  for (let at = 1000; at < 50_000; at += 1000) rows.want(at, at + 20);
  await want(60_000, 60_020);

  expect(asked.map((one) => one.chunk)).toEqual([1200]);
});

it("stops waiting for what is out of sight", async () => {
  const { asked, want } = make(100_000);
  await want(1000, 1020);
  await want(9000, 9020);

  expect(asked.map((one) => [one.chunk, one.signal.aborted])).toEqual([
    [20, true],
    [180, false],
  ]);
});

it("keeps a bounded number of rows", async () => {
  const { rows, asked, want } = make(100_000);
  for (let chunk = 1; chunk < 60; chunk += 1) {
    await want(chunk * 50, chunk * 50 + 10);
    await asked.at(-1)!.answer();
  }

  expect(rows.at(59 * 50)).toBe("row 2950");
  expect(rows.at(60)).toBeUndefined();
});

it("shows old rows until the new ones have come", async () => {
  const { rows, asked, want } = make(200);
  await want(100, 120);
  await asked[0]!.answer();
  rows.take({ revision: 1, version: 2, rows: ["new"], total: 200, extent: 200 }, true);
  expect([rows.at(0), rows.at(100)]).toEqual(["new", "row 100"]);
  await want(100, 120);

  expect(asked).toHaveLength(2);
  await asked[1]!.answer({ version: 2, rows: ["newer"] });
  expect(rows.at(100)).toBe("newer");
});

it("learns from an answer that everything has moved", async () => {
  const { rows, asked, want } = make(200);
  await want(100, 120);
  await asked[0]!.answer({ version: 2, total: 201, extent: 201 });
  expect(rows.extent).toBe(201);
  await want(0, 10);

  expect(asked.map((one) => one.chunk)).toEqual([2, 0]);
});

it("ignores an answer to an earlier question", async () => {
  const { rows, asked, want } = make(200);
  await want(100, 120);
  rows.take({ revision: 2, version: 2, rows: ["other"], total: 1, extent: 1 }, true);
  await asked[0]!.answer();

  expect([rows.at(0), rows.at(100), rows.extent]).toEqual(["other", undefined, 1]);
});

it("says what went wrong, and tries again when told to", async () => {
  const { rows, asked, want } = make(200);
  await want(100, 120);
  await asked[0]!.fail(new Error("No answer."));
  expect(rows.error?.message).toBe("No answer.");
  await want(150, 160);
  expect(asked).toHaveLength(1);
  rows.again();

  expect(asked.map((one) => one.chunk)).toEqual([2, 3]);
  expect(rows.error).toBeNull();
});
