import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { providePart } from "../src/lib/part";
import { QUIET_MS } from "../src/lib/watch";
import * as details from "../src/parts/session_details";
import browser from "../src/session_browser";
import { FakeModel, kernelSays, sessions, show } from "./model";

providePart("session_details", details);

const [row] = sessions().rows;
const counted = (counts: object | null, changes: object = {}) => ({ ...row!, counts, ...changes }) as NonNullable<typeof row>;
const DONE = { finished: 47, failed: 3, pending: 0 };

const open = async (changes: Parameters<typeof sessions>[0] = {}) => {
  const model = new FakeModel({ state: sessions(changes) });
  const shown = await show(browser, model);
  const press = (key: string) =>
    kernelSays(() => void document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })));
  const first = () => shown.el.querySelector<HTMLElement>('[data-index="0"]')!;
  const wait = (ms: number) => kernelSays(() => vi.advanceTimersByTimeAsync(ms));
  return { model, ...shown, press, first, wait };
};

let closing: (() => Promise<void>)[] = [];
const opened = async (changes: Parameters<typeof sessions>[0] = {}) => {
  const shown = await open(changes);
  closing.push(shown.close);
  return shown;
};
let observed: ((entries: { isIntersecting: boolean }[]) => void)[] = [];
beforeEach(() => {
  closing = [];
  observed = [];
  vi.useFakeTimers();
  vi.setSystemTime(new Date("2026-11-23T10:00:00Z"));
  class Observer {
    constructor(callback: (entries: { isIntersecting: boolean }[]) => void) {
      observed.push(callback);
    }
    observe() {}
    disconnect() {}
  }
  vi.stubGlobal("IntersectionObserver", Observer);
});
afterEach(async () => {
  for (const close of closing) await close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("shows each session with status, verdict, person and id", async () => {
  const { text } = await opened({ rows: [counted({ finished: 0, failed: 0, pending: null })] });

  for (const part of ["Open", "open for 20 h, nothing ingested yet", "Anna Schmidt", "0b9ad6a2", "1 upload session"]) {
    expect(text()).toContain(part);
  }
});

it("shows a state it does not know as it came", async () => {
  const { text } = await opened({ rows: [counted(DONE, { status: "ARCHIVED", created_by: "<i>x</i>" })] });

  for (const part of ["ARCHIVED", "<i>x</i>", "3 of 50 failed"]) expect(text()).toContain(part);
});

it("asks how the sessions in sight stand, once", async () => {
  const { model, text, wait } = await opened({ rows: [counted(null, { status: "CLOSED" })] });
  await wait(200);
  expect(model.requests("counts").map((one) => one.payload)).toEqual([{ ids: [row!.session_id] }]);
  await kernelSays(() => model.answer("counts", { sessions: [{ session_id: row!.session_id, status: "CLOSED", counts: DONE }] }));
  await wait(200);

  expect(text()).toContain("3 of 50 failed");
  expect(model.requests("counts")).toHaveLength(1);
});

it("asks again how a session stands of which nothing was said", async () => {
  const { model, text, wait } = await opened({ rows: [counted(null, { status: "CLOSED" })] });
  await wait(200);
  await kernelSays(() => model.answer("counts", { sessions: [] }));
  await wait(10_000); // a redraw
  await wait(200);
  expect(model.requests("counts").map((one) => one.payload)).toEqual([{ ids: [row!.session_id] }, { ids: [row!.session_id] }]);
  await kernelSays(() => model.answer("counts", { sessions: [{ session_id: row!.session_id, status: "CLOSED", counts: DONE }] }));
  await wait(20_000);

  expect(text()).toContain("3 of 50 failed");
  expect(model.requests("counts")).toHaveLength(2);
});

it("looks again while something moves, less often when nothing changes, and stops in the end", async () => {
  const { model, wait, text } = await opened({ rows: [counted({ finished: 1, failed: 0, pending: 9 }, { status: "CLOSED" })] });
  const answer = (finished: number) =>
    kernelSays(() =>
      model.answer("watch", { sessions: [{ session_id: row!.session_id, status: "CLOSED", counts: { finished, failed: 0, pending: 10 - finished } }] }),
    );
  await wait(2_100);
  expect(model.requests("watch")).toHaveLength(1);
  await answer(5);
  expect(text()).toContain("ingesting: 5 of 10 done");
  for (let turn = 0; turn < 120; turn += 1) {
    const before = model.requests("watch").length;
    await wait(10_000);
    if (model.requests("watch").length > before) await answer(5);
  }
  const asked = model.requests("watch").length;
  expect(asked).toBeLessThan(40);
  await wait(QUIET_MS);

  expect(model.requests("watch")).toHaveLength(asked);
});

it("begins to look again when somebody does something", async () => {
  const { model, wait, click } = await opened({ rows: [counted({ finished: 1, failed: 0, pending: 9 }, { status: "CLOSED" })] });
  for (let turn = 0; turn < 120; turn += 1) {
    await wait(10_000);
    if (model.requests("watch").length) await kernelSays(() => model.answer("watch", { sessions: [] }));
  }
  const asked = model.requests("watch").length;
  await wait(QUIET_MS);
  expect(model.requests("watch")).toHaveLength(asked);
  await click("Refresh");
  await wait(2_100);

  expect(model.requests("watch")).toHaveLength(asked + 1);
});

it("believes a listing that a session is over, whatever was heard of it before", async () => {
  const { model, text, wait } = await opened();
  const open = { session_id: row!.session_id, status: "OPEN", counts: { finished: 0, failed: 0, pending: null } };
  await wait(2_100);
  await kernelSays(() => model.answer("watch", { sessions: [open] }));
  expect(text()).toContain("open for 20 h");
  await kernelSays(() => model.set("state", sessions({ version: 6, rows: [counted(DONE, { status: "CLOSED" })] })));
  expect(text()).toContain("3 of 50 failed");
  expect(text()).not.toContain("open for");
  const asked = model.requests("watch").length;
  await wait(60_000);

  expect(model.requests("watch")).toHaveLength(asked);
});

it("does not look again where nothing moves", async () => {
  const { model, wait } = await opened({ rows: [counted(DONE, { status: "CLOSED" })] });
  await wait(60_000);

  expect(model.requests("watch")).toHaveLength(0);
});

it("does not look when nobody sees it", async () => {
  const { model, wait } = await opened({ rows: [counted({ finished: 1, failed: 0, pending: 9 }, { status: "CLOSED" })] });
  await kernelSays(() => observed.at(-1)!([{ isIntersecting: false }]));
  await wait(60_000);
  expect(model.requests("watch")).toHaveLength(0);
  await kernelSays(() => observed.at(-1)!([{ isIntersecting: true }]));
  await wait(2_100);

  expect(model.requests("watch")).toHaveLength(1);
});

it("asks before closing, saying that closing ingests", async () => {
  const { model, click, text, button } = await opened();
  await click("Close…");

  expect(text()).toContain("Closing starts ingestion");
  expect(model.requests("close")).toHaveLength(0);
  expect(document.activeElement).toBe(button("Close and ingest"));
});

it("closes after the second click, once, and then shows the outcomes", async () => {
  const { model, click, text, wait } = await opened();
  await click("Close…");
  await click("Close and ingest");
  await click("Closing…");
  expect(model.requests("close").map((one) => one.payload)).toEqual([{ id: row!.session_id }]);
  await kernelSays(() => model.set("state", sessions({ version: 6, rows: [counted(DONE, { status: "CLOSED" })] })));
  await kernelSays(() => model.answer("close"));
  await wait(10);

  expect(text()).toContain("Closed");
  expect(text()).not.toContain("Close and ingest");
  expect(model.requests("outcomes")[0]!.payload).toEqual({ id: row!.session_id, status: "FAILED", chunk: 0 });
});

it.each(["Escape", "Keep it open"])("leaves it open after %s", async (way) => {
  const { model, click, text, press, wait, button } = await opened();
  await click("Close…");
  if (way === "Escape") await press("Escape");
  else await click(way);
  await wait(10);

  expect(text()).not.toContain("Closing starts ingestion");
  expect(document.activeElement).toBe(button("Close this session…"));
  expect(model.requests("close")).toHaveLength(0);
});

it("shows why a session could not be closed, and asks on", async () => {
  const { model, click, text } = await opened();
  await click("Close…");
  await click("Close and ingest");
  await kernelSays(() => model.refuse("close", "It is closed already.", "Refresh."));

  expect(text()).toContain("It is closed already. Refresh.");
  expect(text()).toContain("Close and ingest");
});

it("opens with Enter what became of each file, and gives the focus back with Escape", async () => {
  const { model, first, press, text, click } = await opened({ rows: [counted(DONE, { status: "CLOSED" })] });
  await kernelSays(() => first().focus());
  await press("Enter");
  const rows = [{ name: "<b>.pdf", status: "FAILED", reason: "The platform found the file empty.", remedy: "Fill it." }];
  await kernelSays(() => model.answer("outcomes", { rows, total: 60, has_more: true }));
  for (const part of ["<b>.pdf", "failed", "The platform found the file empty.", "Fill it.", "1 of 60"]) expect(text()).toContain(part);
  await click("Show more");
  expect(model.requests("outcomes").at(-1)!.payload).toMatchObject({ chunk: 1, status: "FAILED" });
  await click("Ingested");
  expect(model.requests("outcomes").at(-1)!.payload).toMatchObject({ chunk: 0, status: "FINISHED" });
  await press("Escape");

  expect(text()).not.toContain("Fill it.");
  expect(document.activeElement).toBe(first());
});

it("shows people, files and reasons as text, whatever they are", async () => {
  const hostile = "<img src=x onerror=alert(1)>\u202efdp";
  const { model, el, first, press, text } = await opened({ rows: [counted(DONE, { status: "<i>", created_by: hostile, write_mode: "<b>" })] });
  await kernelSays(() => first().focus());
  await press("Enter");
  const rows = [
    { name: hostile, status: "<script>", reason: hostile, remedy: hostile },
    { name: "n".repeat(10_000), status: "FAILED", reason: "r".repeat(10_000), remedy: "" },
  ];
  await kernelSays(() => model.answer("outcomes", { rows, total: 2, has_more: false }));

  expect(el.querySelector("img, i, b, script")).toBeNull();
  expect(text().split("<img src=x onerror=alert(1)>\\u202efdp")).toHaveLength(6); // By, Created, and three of the file
  expect(text()).not.toContain("\u202e");
  expect(text().length).toBeLessThan(2_500);
});

it("asks for a status by its chip, and says among how many it was looked for", async () => {
  const { model, click, text, button } = await opened();
  await click("Open");
  expect(model.requests("query")[0]!.payload).toEqual({ status: "OPEN", created_by: "" });
  await kernelSays(() =>
    model.set("state", sessions({ revision: 4, version: 6, query: { status: "OPEN", created_by: "" }, total: 12, extent: 12, looked_through: 1000, sessions: 4812 })),
  );

  expect(button("Open")!.getAttribute("aria-pressed")).toBe("true");
  expect(text()).toContain("12 of the newest 1,000 upload sessions match; there are 4,812");
});

it("keeps what was asked for and has not come yet when something else is asked for", async () => {
  const { model, click, el, wait } = await opened();
  await click("Open");
  const field = el.querySelector<HTMLInputElement>(".dnb-tools input")!;
  await kernelSays(() => {
    field.value = "anna";
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await wait(1_000);

  expect(model.requests("query").at(-1)!.payload).toEqual({ status: "OPEN", created_by: "anna" });
});

it("refreshes once at a time", async () => {
  const { model, click, button } = await opened();
  await click("Refresh");
  await click("Refreshing…");
  expect(model.requests("refresh")).toHaveLength(1);
  await kernelSays(() => model.answer("refresh"));

  expect(button("Refresh")).toBeDefined();
});

it("shows an error beside what it knew before", async () => {
  const { text } = await opened({ error: { message: "No answer from the platform.", remedy: "Check the network." } });

  expect(text()).toContain("No answer from the platform. Check the network.");
  expect(text()).toContain("Anna Schmidt");
});

it("tells an empty workspace from one it has not heard of yet", async () => {
  expect((await opened({ rows: [], total: 0, extent: 0 })).text()).toContain("No upload sessions yet");
  expect((await opened({ rows: [], total: 0, extent: 0, updated_at: null, loading: true })).text()).toContain("Asking the platform");
});

it("gives the line of Python for what it shows", async () => {
  const writeText = vi.fn(async () => undefined);
  vi.stubGlobal("navigator", { language: "en", clipboard: { writeText } });
  const { click } = await opened({ code: "ws.list_upload_sessions(status='OPEN')" });
  await click("Copy as Python");

  expect(writeText).toHaveBeenCalledWith("ws.list_upload_sessions(status='OPEN')");
});

it.each([
  ["Copied", async () => undefined],
  ["Not allowed here", () => Promise.reject(new Error("no"))],
])("says %s for two seconds, to eyes and ears", async (said, writeText) => {
  vi.stubGlobal("navigator", { language: "en", clipboard: { writeText } });
  const { button, click, text, wait } = await opened();
  await click("Copy as Python");
  expect(button("Copy as Python")!.dataset.copied).toBe(said);
  expect(text()).toContain(said);
  await wait(2_100);

  expect(button("Copy as Python")!.dataset.copied).toBe("");
  expect(text()).not.toContain(said);
});

it("leaves nothing behind", async () => {
  const { model, close } = await open();
  await close();

  expect(model.listeners).toBe(0);
});
