import { afterEach, beforeEach, expect, it, vi } from "vitest";
import browser from "../src/file_browser";
import { providePart } from "../src/lib/part";
import * as actions from "../src/parts/file_actions";
import * as tools from "../src/parts/file_tools";
import * as job from "../src/parts/job_view";
import { FakeModel, file, files, job as jobState, kernelSays, show, until } from "./model";

providePart("file_actions", actions);
providePart("file_tools", tools);
providePart("job_view", job);

/** Answers as the kernel does: rows by their chunk, the selection as it was asked for. */
function kernel(extent: number, changes: Parameters<typeof files>[1] = {}) {
  const model = new FakeModel({ state: files(extent, changes) });
  let chosen: string[] = [];
  model.onSend = ({ message }) => {
    const { kind, id, action, payload } = message;
    const reply = (result: object) => queueMicrotask(() => model.say({ kind: "response", id, ok: true, result }));
    if (kind !== "request") return;
    if (action === "rows") {
      const first = payload.chunk * 50;
      const rows = Array.from({ length: Math.max(0, Math.min(50, extent - first)) }, (_, index) => ({
        ...file(first + index),
        meta: payload.keys.map((key: string) => `${key} of ${first + index}`),
      }));
      reply({ revision: 3, version: 5, rows, total: extent, extent });
    }
    if (action === "select") {
      const kept = payload.only ? [] : chosen.filter((one) => !payload.ids.includes(one));
      chosen = payload.on ? [...kept, ...payload.ids] : kept;
      reply({ ids: chosen });
    }
    if (action === "select_range") {
      const [first, last] = [payload.first, payload.last].sort((one, other) => one - other);
      chosen = [...new Set([...chosen, ...Array.from({ length: last - first + 1 }, (_, index) => file(first + index).file_id)])];
      reply({ ids: chosen });
    }
  };
  return model;
}

const open = async (extent = 1000, changes: Parameters<typeof files>[1] = {}) => {
  const model = kernel(extent, changes);
  const shown = await show(browser, model);
  const grid = () => shown.el.querySelector<HTMLElement>('[role="grid"]')!;
  const row = (index: number) => shown.el.querySelector<HTMLElement>(`[data-index="${index}"]`);
  const press = (key: string, init: KeyboardEventInit = {}) =>
    kernelSays(() => void document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...init })));
  const scrollTo = (index: number) =>
    kernelSays(() => {
      grid().scrollTop = index * 32;
      grid().dispatchEvent(new Event("scroll"));
    });
  const focus = (index: number) => kernelSays(() => row(index)!.focus());
  const active = () => Number((document.activeElement as HTMLElement).dataset.index);
  const type = (label: string, value: string) => {
    const field = [...shown.el.querySelectorAll("label")].find((one) => one.textContent!.includes(label))!.querySelector("input")!;
    return kernelSays(() => {
      field.value = value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }).then(() => field);
  };
  return { ...shown, model, grid, row, press, scrollTo, focus, active, type };
};

let closing: (() => Promise<void>)[] = [];
const opened = async (...given: Parameters<typeof open>) => {
  const shown = await open(...given);
  closing.push(shown.close);
  return shown;
};
beforeEach(() => {
  closing = [];
});
afterEach(async () => {
  for (const close of closing) await close();
  vi.unstubAllGlobals();
});

it("draws a few rows of very many, and says how many there are", async () => {
  const { el, grid, text } = await opened(100_000);

  expect(el.querySelectorAll(".dnb-row").length).toBeLessThan(30);
  expect(grid().getAttribute("aria-rowcount")).toBe("100001");
  expect(text()).toContain("100,000 files");
  expect(text()).toContain("Rows 1 to 12");
});

it("draws what is in sight first, and the rows next to it a moment later", async () => {
  const { el } = await opened(100_000);

  expect(el.querySelectorAll(".dnb-row").length).toBe(13);
  await until(() => el.querySelectorAll(".dnb-row").length === 19);
});

it("shows rows in the middle once they have come, in elements it had already", async () => {
  const { el, row, scrollTo, text } = await opened(100_000);
  await until(() => el.querySelectorAll(".dnb-row").length > 15);
  const before = new Set(el.querySelectorAll(".dnb-row"));
  await scrollTo(50_000);
  expect(row(50_000)!.getAttribute("aria-busy")).toBe("true");
  await until(() => row(50_000)!.textContent!.includes("report-50000.txt"));

  expect(row(50_000)!.getAttribute("aria-rowindex")).toBe("50002");
  expect(text()).toContain("Rows 50,001 to 50,012");
  expect([...el.querySelectorAll(".dnb-row")].filter((one) => before.has(one)).length).toBeGreaterThan(15);
});

it("has exactly one row in the order of the Tab key", async () => {
  const { el, scrollTo } = await opened();
  await scrollTo(500);

  expect(el.querySelectorAll('.dnb-row[tabindex="0"]')).toHaveLength(1);
});

it("moves the focus with the arrows and to both ends", async () => {
  const { focus, press, active } = await opened();
  await focus(0);
  const seen = [];
  for (const key of ["ArrowDown", "ArrowDown", "ArrowUp", "End", "Home", "PageDown", "ArrowUp", "PageUp"]) {
    await press(key);
    seen.push(active());
  }

  expect(seen).toEqual([1, 2, 1, 999, 0, 11, 10, 0]);
});

it("keeps the focus on its row when that is scrolled out of sight, and when everything is drawn again", async () => {
  const { model, focus, active, press, scrollTo } = await opened();
  await focus(3);
  await scrollTo(600);
  expect(active()).toBe(3);
  await kernelSays(() => model.set("state", files(1000, { version: 6 })));
  expect(active()).toBe(3);
  await press("ArrowDown");

  expect(active()).toBe(4);
});

it("selects with the space bar and never opens anything by it", async () => {
  const { model, row, focus, press, text } = await opened();
  await focus(2);
  await press(" ");
  expect(row(2)!.getAttribute("aria-selected")).toBe("true");
  expect(model.requests("select")[0]!.payload).toEqual({ ids: [file(2).file_id], on: true, only: false });
  expect(text()).toContain("1 selected");
  expect(model.requests("details")).toHaveLength(0);
  await press(" ");

  expect(row(2)!.getAttribute("aria-selected")).toBe("false");
});

it("selects a range with Shift, from where it began", async () => {
  const { row, focus, press, text } = await opened();
  await focus(2);
  await press(" ");
  for (let step = 0; step < 3; step += 1) await press("ArrowDown", { shiftKey: true });

  expect(text()).toContain("4 selected");
  expect([1, 2, 5, 6].map((index) => row(index)!.getAttribute("aria-selected"))).toEqual(["false", "true", "true", "false"]);
});

it("takes over a selection made in another view", async () => {
  const { model, text } = await opened();
  await kernelSays(() => model.say({ kind: "selected", ids: [file(0).file_id, file(1).file_id] }));

  expect(text()).toContain("2 selected");
});

it("opens details with Enter, and gives the focus back with Escape", async () => {
  const { model, focus, press, text, active } = await opened();
  await focus(4);
  await press("Enter");
  expect(model.requests("details")[0]!.payload).toEqual({ id: file(4).file_id });
  await kernelSays(() => model.answer("details", { ...file(4), meta: [["topic", "<b>news</b>"]], more: 3 }));
  for (const part of ["<b>news</b>", file(4).file_id, "and 3 more metadata entries"]) expect(text()).toContain(part);
  await press("Escape");

  expect(text()).not.toContain("and 3 more");
  expect(active()).toBe(4);
});

it("asks for a name as it is typed, once", async () => {
  const { model, type } = await opened();
  await type("Name contains", "rep");
  await type("Name contains", "report");
  await until(() => model.requests("query").length > 0);
  await new Promise((resolve) => setTimeout(resolve, 350));

  expect(model.requests("query").map((one) => one.payload)).toEqual([{ name: "report", filter: "", sort: "created_at", order: "DESC" }]);
});

it("keeps the name that is typed when the answer to half of it arrives late", async () => {
  const { model, type } = await opened();
  await type("Name contains", "re");
  await until(() => model.requests("query").length === 1);
  const field = await type("Name contains", "report");
  await until(() => model.requests("query").length === 2);
  const query = { name: "re", filter: "", sort: "created_at", order: "DESC" } as const;
  await kernelSays(() => model.set("state", files(1000, { query })));

  expect(field.value).toBe("report");
});

it("shows beside the box why a filter was refused, and keeps the rows", async () => {
  const { model, click, type, text, row } = await opened();
  await click("Filter");
  const field = await type("Metadata filter", "topic is news");
  await kernelSays(() => void field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true })));
  expect(model.requests("query")[0]!.payload.filter).toBe("topic is news");
  await kernelSays(() => model.refuse("query", "The filter cannot be read at position 6.", "Change what it names."));

  expect(text()).toContain("The filter cannot be read at position 6. Change what it names.");
  expect(field.getAttribute("aria-invalid")).toBe("true");
  expect(field.value).toBe("topic is news");
  expect(row(0)!.textContent).toContain("report-0.txt");
});

it("keeps what is typed into the filter in the moment it opens", async () => {
  const { el, button } = await opened();
  button("Filter")!.click(); // not by `click`, which waits until all effects have run
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  const field = el.querySelector<HTMLInputElement>(".dnb-filter input")!;
  field.value = "year ge 2020";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise((resolve) => setTimeout(resolve, 150));

  expect(field.value).toBe("year ge 2020");
});

it("keeps what is typed while the answer to what was applied before arrives, and follows another view", async () => {
  const { model, click, type } = await opened();
  const say = (filter: string) => kernelSays(() => model.set("state", files(1000, { query: { name: "", filter, sort: "created_at", order: "DESC" } })));
  await click("Filter");
  const field = await type("Metadata filter", "year ge 2020");
  await click("Apply");
  await type("Metadata filter", "year ge 2020 and");
  await say("year ge 2020");
  await kernelSays(() => model.answer("query"));
  expect(field.value).toBe("year ge 2020 and");
  await say("topic eq 'news'");

  expect(field.value).toBe("topic eq 'news'");
});

it("offers examples of filters", async () => {
  const { click, el } = await opened();
  await click("Filter");
  await click("year ge 2020");

  expect(el.querySelector<HTMLInputElement>(".dnb-filter input")!.value).toBe("year ge 2020");
});

it("sorts by what the platform sorts by, and says so of the rest", async () => {
  const { model, click, el } = await opened();
  await click("Created ↓");
  await click("Name");
  expect(model.requests("query").map(({ payload }) => [payload.sort, payload.order])).toEqual([
    ["created_at", "ASC"],
    ["name", "ASC"],
  ]);
  const size = [...el.querySelectorAll('[role="columnheader"]')].find((one) => one.textContent === "Size")!;

  expect(size.querySelector("button")).toBeNull();
  expect(size.getAttribute("title")).toContain("sorts by name and by time only");
  expect(el.querySelector('[aria-sort="descending"]')!.textContent).toContain("Created");
});

it("keeps a filter when a sort is clicked before its rows are here, and forgets one that was refused", async () => {
  const { model, click, type } = await opened();
  await click("Filter");
  const field = await type("Metadata filter", "year ge 2020");
  const enter = () => kernelSays(() => void field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true })));
  await enter();
  await click("Name");
  expect(model.requests("query").at(-1)!.payload).toEqual({ name: "", filter: "year ge 2020", sort: "name", order: "ASC" });
  await kernelSays(() => model.refuse("query", "The filter cannot be read.", "Change it."));
  await click("Name");

  expect(model.requests("query").at(-1)!.payload).toEqual({ name: "", filter: "", sort: "name", order: "ASC" });
});

it("makes columns of metadata on demand", async () => {
  const { click, el, row, model } = await opened();
  expect(model.requests("rows")).toHaveLength(0);
  await click("Columns");
  await kernelSays(() => el.querySelector<HTMLInputElement>(".dnb-keys input")!.click());
  await until(() => row(3)!.textContent!.includes("topic of 3"));

  expect(el.querySelector(".dnb-heads")!.textContent).toContain("topic");
});

it("shows no value of one metadata column under the head of another", async () => {
  const { click, el, row } = await opened();
  const tick = (key: string) =>
    kernelSays(() => [...el.querySelectorAll<HTMLElement>(".dnb-keys label")].find((one) => one.textContent!.trim() === key)!.click());
  const cell = () => row(3)!.querySelector(".dnb-key")!;
  await click("Columns");
  await tick("topic");
  await until(() => cell().textContent === "topic of 3");
  await tick("year");
  await until(() => row(3)!.textContent!.includes("year of 3"));
  await tick("topic");
  expect(cell().textContent).toBe("");
  expect(cell().querySelector(".dnb-ghost")).not.toBeNull();
  await until(() => cell().textContent !== "");

  expect(cell().textContent).toBe("year of 3");
});

it("downloads the selected files into a named folder, and shows the job", async () => {
  const { model, click, focus, press, type, text } = await opened();
  await focus(0);
  await press(" ");
  await click("Download…");
  expect(text()).toContain("Download 1 file");
  await type("Into the folder", "copies");
  await click("Download");
  expect(model.requests("download")[0]!.payload).toEqual({ folder: "copies" });
  await kernelSays(() => model.answer("download"));
  await kernelSays(() => model.set("state", files(1000, { selected: 1, job: jobState({ kind: "download", headline: "Fetching 1 file" }) })));

  expect(text()).toContain("Fetching 1 file");
});

it("deletes only after the number was typed, and names what stayed", async () => {
  const { model, click, focus, press, type, text, button } = await opened();
  await focus(0);
  await press(" ");
  await press("ArrowDown");
  await press(" ");
  await click("Delete…");
  for (const part of ["Delete 2 files?", "report-0.txt", "report-1.txt", "Type 2 to delete 2 files", "cannot be undone"]) {
    expect(text()).toContain(part);
  }
  await type("Type 2", "3");
  await click("Delete 2 files");
  expect(model.requests("delete")).toHaveLength(0);
  await type("Type 2", "2");
  expect(button("Delete 2 files")!.getAttribute("aria-disabled")).toBe("false");
  await click("Delete 2 files");
  expect(model.requests("delete")[0]!.payload).toEqual({ ids: [file(0).file_id, file(1).file_id], typed: "2" });
  await kernelSays(() => model.say({ kind: "deleting", done: 1, total: 2 }));
  expect(text()).toContain("Deleting 1 of 2…");
  const kept = { file_id: file(1).file_id, name: "report-1.txt", error: { message: "It is not yours.", remedy: "Ask." } };
  await kernelSays(() => model.answer("delete", { deleted: 1, kept: [kept] }));

  for (const part of ["1 file deleted", "1 file was not deleted.", "It is not yours."]) expect(text()).toContain(part);
});

it("leaves the files that are not deleted yet when somebody stops it", async () => {
  const { model, click, focus, press, type, text, button } = await opened();
  await focus(0);
  await press(" ");
  await click("Delete…");
  await type("Type 1", "1");
  await click("Delete 1 file");
  expect(button("Keep them")).toBeUndefined();
  await click("Keep the rest");

  expect(model.sent.at(-1)!.message).toEqual({ kind: "abort", id: model.requests("delete")[0]!.id });
  expect(text()).not.toContain("cannot be undone");
});

it("asks about what is selected now when it is asked to delete again", async () => {
  const { click, focus, press, text, button } = await opened();
  await focus(0);
  await press(" ");
  await click("Delete…");
  expect(text()).toContain("Delete 1 file?");
  await focus(1);
  await press(" ");
  expect(text()).toContain("Delete 1 file?");
  await click("Delete…");

  expect(text()).toContain("Delete 2 files?");
  expect(button("Delete 2 files")!.getAttribute("aria-disabled")).toBe("true");
});

it("copies the whole id of a row", async () => {
  const writeText = vi.fn(async () => undefined);
  vi.stubGlobal("navigator", { language: "en", clipboard: { writeText } });
  const { click } = await opened();
  await click("Copy file id 00000000");

  expect(writeText).toHaveBeenCalledWith(file(0).file_id);
});

it("says what is not known, and how far a filtered listing has been read", async () => {
  const unknown = await opened(100, { total: null });
  expect(unknown.text()).toContain("does not say how many files there are");
  const filtered = await opened(500, { query: { name: "", filter: "topic eq 'news'", sort: "created_at", order: "DESC" } });
  expect(filtered.text()).toContain("500 files match");
  await kernelSays(() => filtered.model.say({ kind: "walked", rows: 12_400 }));

  expect(filtered.text()).toContain("only from its beginning: 12,400 rows so far");
});

it("tells an empty workspace from a filter that finds nothing and from one it has not heard of yet", async () => {
  expect((await opened(0)).text()).toContain("No files yet");
  const query = { name: "x", filter: "", sort: "created_at", order: "DESC" } as const;
  expect((await opened(0, { query })).text()).toContain("No file matches");
  expect((await opened(0, { updated_at: null, loading: true })).text()).toContain("Asking the platform");
});

it("shows a name that is none of its business as text", async () => {
  const { el, text } = await opened(1, { rows: [{ ...file(0), name: "<img src=x onerror=alert(1)>\u202e.txt" }] });

  expect(text()).toContain("<img src=x onerror=alert(1)>\\u202e.txt");
  expect(el.querySelector("img")).toBeNull();
});

it("leaves nothing behind", async () => {
  const { model, close } = await open();
  await close();

  expect(model.listeners).toBe(0);
});
