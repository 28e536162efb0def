// CRC-32 as zlib computes it, four bytes a step.

const TABLES = (() => {
  const tables = Array.from({ length: 4 }, () => new Uint32Array(256));
  const [first] = tables as [Uint32Array, ...Uint32Array[]];
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    first[byte] = crc;
  }
  for (let step = 1; step < 4; step += 1) {
    for (let byte = 0; byte < 256; byte += 1) {
      const before = tables[step - 1]![byte]!;
      tables[step]![byte] = (before >>> 8) ^ first[before & 0xff]!;
    }
  }
  return tables as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
})();

export function crc32(bytes: Uint8Array): number {
  const [one, two, three, four] = TABLES;
  let crc = 0xffffffff;
  let at = 0;
  for (const last = bytes.length - 3; at < last; at += 4) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc = four[crc & 0xff]! ^ three[(crc >>> 8) & 0xff]! ^ two[(crc >>> 16) & 0xff]! ^ one[crc >>> 24]!;
  }
  for (; at < bytes.length; at += 1) crc = (crc >>> 8) ^ one[(crc ^ bytes[at]!) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}
