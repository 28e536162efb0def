import { afterEach, expect, it, vi } from "vitest";
import jobPanel from "../src/job_panel";
import { pageLocale } from "../src/lib/hello";
import { formatBytes, formatNumber } from "../src/lib/format";
import { language, locale, plural, rich, t, takeCatalogue } from "../src/lib/i18n";
import { FakeModel, job, kernelSays, show } from "./model";

const GERMAN = { Cancel: "Abbrechen", "{done} of {total}": "{done} von {total}", "{count} file": { one: "{count} Datei", other: "{count} Dateien" } };

afterEach(() => {
  takeCatalogue("en", {});
  document.documentElement.lang = "";
  vi.unstubAllGlobals();
});

it("says things in English, with values in their places", () => {
  expect(t("{done} of {total}", { done: 1, total: "2 kB" })).toBe("1 of 2 kB");
  expect(plural(1, "{count} file", "{count} files")).toBe("1 file");
});

it("says things in the catalogue's language, what it lacks in English", () => {
  takeCatalogue("de", GERMAN);

  expect(t("{done} of {total}", { done: 1, total: 2 })).toBe("1 von 2");
  expect([plural(1, "{count} file", "{count} files"), plural(1204, "{count} file", "{count} files")]).toEqual(["1 Datei", "1.204 Dateien"]);
  expect(t("Refresh")).toBe("Refresh");
});

it("writes numbers in the language of the texts, not in a third one", () => {
  takeCatalogue("de", GERMAN);

  expect([locale(), formatNumber(1204), formatBytes(1500)]).toEqual(["de", "1.204", "1,5 kB"]);
});

it("keeps elements among the words", () => {
  const code = { an: "element" };

  expect(rich("{code} opens one.", { code })).toEqual(["", code, " opens one."]);
});

it("treats braces in a value as text", () => {
  expect(t("{done} of {total}", { done: "{total}", total: 2 })).toBe("{total} of 2");
});

const browserSpeaks = (language: string) => vi.stubGlobal("navigator", Object.create(navigator, { language: { value: language } }));

it.each([
  ["de-DE", "en-US", "de-DE"], // a language pack of JupyterLab
  ["fr", "de-DE", "fr"], // chosen, even where we have no texts for it
  ["en", "de-AT", "de-AT"], // what pages say by themselves
  ["", "de-CH", "de-CH"],
  ["en-GB", "en-US", "en-US"],
])("on a page in %j of a browser in %j the locale is %j", (page, browser, expected) => {
  document.documentElement.lang = page;
  browserSpeaks(browser);

  expect(pageLocale()).toBe(expected);
});

it("tells the kernel the page's locale", async () => {
  document.documentElement.lang = "de-DE";
  const model = new FakeModel({ state: job() });
  const { close } = await show(jobPanel, model);

  expect(model.sent[0]!.message).toMatchObject({ kind: "hello", locale: "de-DE" });
  await close();
});

it("leaves a catalogue that another page of the same kernel has asked for", async () => {
  browserSpeaks("en-US");
  const model = new FakeModel({ state: job() });
  const { button, close } = await show(jobPanel, model);

  await kernelSays(() => model.say({ kind: "catalogue", language: "de", messages: GERMAN }));

  expect(button("Cancel")).toBeDefined();
  await close();
});

it("draws every view again when the kernel sends its catalogue", async () => {
  document.documentElement.lang = "de";
  const model = new FakeModel({ state: job() });
  const { button, close } = await show(jobPanel, model);
  expect(button("Cancel")).toBeDefined();

  await kernelSays(() => model.say({ kind: "catalogue", language: "de", messages: GERMAN }));

  expect(button("Abbrechen")).toBeDefined();
  expect(language()).toBe("de");
  await close();
});
