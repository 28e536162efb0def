import { expect, it } from "vitest";
import { xxh32 } from "../src/lib/xxh32";

// What Python's xxhash.xxh32_intdigest says of so many bytes of the pattern below.
const DIGESTS: [number, number][] = [
  [0, 46947589],
  [1, 3479547966],
  [3, 343163253],
  [4, 3371569093],
  [15, 2282215090],
  [16, 3046866451],
  [17, 551372073],
  [31, 3696981059],
  [100, 2958568878],
  [65537, 2117345737],
];

it.each(DIGESTS)("of %i bytes is what the kernel computes", (length, digest) => {
  expect(xxh32(Uint8Array.from({ length }, (_, at) => (at * 7) % 251))).toBe(digest);
});

it("sees one bit", () => {
  const bytes = new Uint8Array(4099);
  const before = xxh32(bytes);
  bytes[4098] = 1;

  expect(xxh32(bytes)).not.toBe(before);
});
