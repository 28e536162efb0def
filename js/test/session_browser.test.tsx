import { expect, it, vi } from "vitest";
import browser from "../src/session_browser";
import { FakeModel, kernelSays, sessions, show } from "./model";

const open = async (changes: Parameters<typeof sessions>[0] = {}) => {
  const model = new FakeModel({ state: sessions(changes) });
  return { model, ...(await show(browser, model)) };
};
const [row] = sessions().rows;

it("shows each session with status, person, mode and id", async () => {
  const { text, close } = await open();

  for (const part of ["Open", "Anna Schmidt", "Keep both", "0b9ad6a2", "Showing the newest 1 of 312"]) expect(text()).toContain(part);
  await close();
});

it("shows a state and a mode it does not know as they came", async () => {
  const { text, close } = await open({ rows: [{ ...row!, status: "ARCHIVED", write_mode: "TEMPORARY", created_by: "<i>x</i>" }] });

  for (const part of ["ARCHIVED", "TEMPORARY", "<i>x</i>"]) expect(text()).toContain(part);
  await close();
});

it("asks before closing, saying that closing ingests", async () => {
  const { model, click, text, button, close } = await open();
  await click("Close…");

  expect(text()).toContain("Closing starts ingestion");
  expect(model.requests("close")).toHaveLength(0);
  expect(document.activeElement).toBe(button("Close and ingest"));
  await close();
});

it("closes after the second click, once", async () => {
  const { model, click, text, close } = await open();
  await click("Close…");
  await click("Close and ingest");
  await click("Closing…");
  expect(model.requests("close").map((one) => one.payload)).toEqual([{ session_id: row!.session_id }]);

  await kernelSays(() => model.set("state", sessions({ rows: [{ ...row!, status: "CLOSED" }] })));
  await kernelSays(() => model.answer("close"));
  expect(text()).toContain("Closed");
  expect(text()).not.toContain("Close…");
  await close();
});

it.each(["Escape", "Keep it open"])("gives the focus back after %s", async (way) => {
  const { el, model, click, button, text, close } = await open();
  await click("Close…");
  if (way === "Escape") {
    await kernelSays(() => void document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true })));
  } else {
    await click(way);
  }

  expect(text()).not.toContain("Closing starts ingestion");
  expect(document.activeElement).toBe(button("Close…"));
  expect(model.requests("close")).toHaveLength(0);
  expect(el.querySelector("[aria-expanded]")!.getAttribute("aria-expanded")).toBe("false");
  await close();
});

it("shows why a session could not be closed, and asks on", async () => {
  const { model, click, text, close } = await open();
  await click("Close…");
  await click("Close and ingest");
  await kernelSays(() => model.refuse("close", "It is closed already.", "Refresh."));

  expect(text()).toContain("It is closed already. Refresh.");
  expect(text()).toContain("Close and ingest");
  await close();
});

it("refreshes once at a time", async () => {
  const { model, click, button, close } = await open();
  await click("Refresh");
  await click("Refreshing…");
  expect(model.requests("refresh")).toHaveLength(1);
  await kernelSays(() => model.answer("refresh"));

  expect(button("Refresh")).toBeDefined();
  await close();
});

it("shows an error beside what it knew before", async () => {
  const { text, close } = await open({ error: { message: "No answer from the platform.", remedy: "Check the network." } });

  expect(text()).toContain("No answer from the platform. Check the network.");
  expect(text()).toContain("Anna Schmidt");
  await close();
});

it("tells an empty workspace from one it has not heard of yet", async () => {
  const empty = await open({ rows: [], total: 0 });
  expect(empty.text()).toContain("No upload sessions yet");
  await empty.close();
  const unknown = await open({ rows: [], total: 0, updated_at: null, loading: true });
  expect(unknown.text()).toContain("Asking the platform");
  await unknown.close();
});

it("copies the whole id", async () => {
  const writeText = vi.fn(async () => undefined);
  vi.stubGlobal("navigator", { language: "en", clipboard: { writeText } });
  const { click, text, close } = await open();
  await click("Copy session id");

  expect(writeText).toHaveBeenCalledWith(row!.session_id);
  expect(text()).toContain("Copied");
  await close();
  vi.unstubAllGlobals();
});

it("leaves nothing behind", async () => {
  const { model, close } = await open();
  await close();

  expect(model.listeners).toBe(0);
});
