// xxHash32 with seed 0, as Python's xxhash computes it: tells damaged pieces at several times the speed of a CRC-32,
// which was the largest cost of our own in the page. Little-endian, as every browser's machine is.

const [ONE, TWO, THREE, FOUR, FIVE] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1].map((prime) => prime | 0) as [
  number,
  number,
  number,
  number,
  number,
];

const turned = (value: number, by: number): number => (value << by) | (value >>> (32 - by));
const round = (lane: number, word: number): number => Math.imul(turned((lane + Math.imul(word, TWO)) | 0, 13), ONE);

/** `bytes` start at a multiple of four in their buffer. */
export function xxh32(bytes: Uint8Array): number {
  const { length } = bytes;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, length >> 2);
  const blocks = (length >> 4) << 2; // words in whole blocks of four
  let hash = FIVE;
  if (blocks) {
    let [a, b, c, d] = [(ONE + TWO) | 0, TWO, 0, -ONE | 0];
    for (let at = 0; at < blocks; at += 4) {
      a = round(a, words[at]!);
      b = round(b, words[at + 1]!);
      c = round(c, words[at + 2]!);
      d = round(d, words[at + 3]!);
    }
    hash = (turned(a, 1) + turned(b, 7) + turned(c, 12) + turned(d, 18)) | 0;
  }
  hash = (hash + length) | 0;
  for (let at = blocks; at < words.length; at += 1) hash = Math.imul(turned((hash + Math.imul(words[at]!, THREE)) | 0, 17), FOUR);
  for (let at = words.length * 4; at < length; at += 1) hash = Math.imul(turned((hash + Math.imul(bytes[at]!, FIVE)) | 0, 11), ONE);
  hash = Math.imul(hash ^ (hash >>> 15), TWO);
  hash = Math.imul(hash ^ (hash >>> 13), THREE);
  return (hash ^ (hash >>> 16)) >>> 0;
}
