import { describe, expect, it } from "vitest";
import { formatBytes, formatDuration, formatElapsed, formatRelative } from "../src/lib/format";
import { plural } from "../src/lib/i18n";
import { visible } from "../src/lib/text";

describe("sizes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [1536, "1.5 kB"],
    [999_499, "999 kB"],
    [999_600, "1 MB"],
    [3_410_000_000, "3.4 GB"],
    [7e15, "7,000 TB"],
    [-5, "0 B"],
  ])("shows %d bytes as %s", (bytes, shown) => expect(formatBytes(bytes, "en")).toBe(shown));

  it("follows the reader's language", () => expect(formatBytes(1536, "de")).toBe("1,5 kB"));
});

describe("times", () => {
  it.each([
    [0, "0:00"],
    [67.3, "1:07"],
    [3723, "1:02:03"],
  ])("shows %d seconds as %s", (seconds, shown) => expect(formatElapsed(seconds)).toBe(shown));

  it.each([
    [12, "12 seconds ago"],
    [3 * 3600, "3 hours ago"],
    [-26 * 3600, "in 1 day"],
    [-23.9 * 3600, "in 24 hours"],
    [0.2, "now"],
  ])("shows a moment %d seconds before now as %s", (seconds, shown) => {
    const now = Date.parse("2026-11-22T12:00:00Z");
    expect(formatRelative(new Date(now - seconds * 1000).toISOString(), now, "en")).toBe(shown);
  });

  it("leaves a time it cannot read as it is", () => expect(formatRelative("soon", 0)).toBe("soon"));
});

describe("names", () => {
  it("spells out characters that reorder or hide others", () =>
    expect(visible("invoice\u202efdp.exe\u200b\n")).toBe("invoice\\u202efdp.exe\\u200b\\u000a"));

  it("leaves out the middle of a very long one", () => {
    const shown = visible(`start${"x".repeat(10_000)}end`);
    expect(shown.length).toBeLessThan(170);
    expect(shown).toMatch(/^start.*…x*end$/);
  });

  it("does not cut a character in two", () => expect(visible("😀".repeat(500))).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])/));

  it("leaves ordinary names alone", () => expect(visible("Übersicht – 2024 (final).pdf")).toBe("Übersicht – 2024 (final).pdf"));
});

it("counts in words", () => {
  expect(plural(1, "{count} file", "{count} files")).toBe("1 file");
  expect(plural(1204, "{count} file", "{count} files")).toBe("1,204 files");
});

it.each([
  [45, "45 sec"],
  [1140, "19 min"],
  [7200, "2 hr"],
])("says about how long %i s are", (seconds, said) => {
  expect(formatDuration(seconds, "en")).toBe(said);
});
