import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { providePart } from "../src/lib/part";
import type { Problem } from "../src/lib/messages";
import type { Hazard } from "../src/lib/upload_messages";
import * as files from "../src/parts/files";
import uploaderWidget from "../src/uploader";
import { FakeModel, job, kernelSays, show, uploader, until, type Sent } from "./model";

let model: FakeModel;
let view: Awaited<ReturnType<typeof show>>;
let keys = 0;

providePart("files", files);

/** What the kernel's plan says besides that all goes up. */
let hazardOf: (offered: { file: string; path: string }) => Hazard | null = () => null;
let refusalOf: (name: string) => Problem | null = () => null;
/** Whether files stay in the page until they are uploaded. */
let direct = false;

/** A kernel that takes everything. */
const takeAll = ({ message }: Sent): void => {
  if (message.kind === "request" && message.action !== "upload") {
    const offered = (message.payload.files ?? []) as { file: string; name: string }[];
    const refused = offered.flatMap(({ file, name }) => refusalOf(name) ? [{ file, error: refusalOf(name)! }] : []);
    const hazards = taken().flatMap((one) => hazardOf({ file: one.file, path: one.name }) ?? []);
    const sent = taken().filter((one) => hazards.every((hazard) => hazard.file !== one.file || hazard.action === "send"));
    const result =
      {
        list: { files: [], meta: "" },
        begin: { refused, send: direct ? [] : offered.map((one) => one.file) },
        plan: { send: sent.length, bytes: sent.reduce((sum, one) => sum + one.size, 0), hazards, more: 0 },
        meta: { problem: null },
        code: { code: 'ws.upload(["a.txt"])' },
      }[message.action as string] ?? {};
    queueMicrotask(() => model.say({ kind: "response", id: message.id, ok: true, result }));
  } else if (message.kind === "chunk") {
    const { file, offset, length } = message;
    queueMicrotask(() => model.say({ kind: "ack", file, offset, length, received: offset + length }));
  }
};

const offered = () => model.requests("begin").flatMap((one) => one.payload.files as { file: string; name: string; size: number }[]);
const taken = () => {
  const removed = new Set(model.requests("remove").map((one) => one.payload.file));
  return offered().filter((one) => !removed.has(one.file) && !refusalOf(one.name));
};

async function open(changes: Parameters<typeof uploader>[0] = {}, onSend = takeAll) {
  hazardOf = refusalOf = () => null;
  direct = false;
  model = new FakeModel({ state: uploader(changes), key: `key${(keys += 1)}` });
  model.onSend = onSend;
  view = await show(uploaderWidget, model);
}

const file = (name: string, size = 10, path = "") => {
  const made = new File(["x".repeat(Math.min(size, 1000))], name);
  Object.defineProperty(made, "size", { value: size });
  if (path) Object.defineProperty(made, "webkitRelativePath", { value: path });
  return made;
};

async function choose(files: File[], which = "files") {
  const input = view.el.querySelector<HTMLInputElement>(`[data-dnb=${which}]`)!;
  Object.defineProperty(input, "files", { value: files, configurable: true });
  await kernelSays(() => input.dispatchEvent(new Event("change", { bubbles: true })));
}

async function drop(items: unknown[]) {
  const event = new Event("drop", { bubbles: true, cancelable: true });
  Object.defineProperty(event, "dataTransfer", { value: { items } });
  await kernelSays(() => view.el.querySelector(".dnb-drop")!.dispatchEvent(event));
  return event;
}

const fileEntry = (path: string) => ({ isFile: true, fullPath: path, file: (ok: (f: File) => void) => ok(file(path.split("/").at(-1)!)) });
const folderEntry = (path: string, batches: unknown[][]) => ({
  isFile: false,
  fullPath: path,
  createReader: () => ({ readEntries: (ok: (batch: unknown[]) => void) => ok(batches.shift() ?? []) }),
});
const item = (entry: unknown) => ({ kind: "file", webkitGetAsEntry: () => entry, getAsFile: () => null });

beforeEach(() => open());
afterEach(async () => {
  await view.close();
  expect(model.listeners).toBe(0);
});

describe("choosing", () => {
  it("announces the files, sends them, and enables Upload when all are there", async () => {
    await choose([file("a.txt"), file("b.txt", 20)]);
    await until(() => view.button("Upload")?.getAttribute("aria-disabled") === "false");

    expect(view.text()).toContain("2 files, 30 B");
    expect(model.requests("begin")[0]!.payload.files.map((one: { name: string }) => one.name)).toEqual(["a.txt", "b.txt"]);
    expect(model.sent.filter((one) => one.message.kind === "chunk").map((one) => one.buffers[0]!.byteLength)).toEqual([10, 20]);
  });

  it("keeps the paths inside a folder", async () => {
    await choose([file("a.txt", 10, "reports/2024/a.txt")], "folder");
    await until(() => view.text().includes("Ready"));

    expect(model.requests("begin")[0]!.payload.files[0].relative_path).toBe("reports/2024/a.txt");
    expect(view.text()).toContain("reports/2024/a.txt");
  });

  it("walks dropped folders to their ends and keeps the drop from the notebook", async () => {
    const deep = folderEntry("/letters/old", [[fileEntry("/letters/old/c.txt")]]);
    const folder = folderEntry("/letters", [[fileEntry("/letters/a.txt"), deep], [fileEntry("/letters/b.txt"), fileEntry("/letters/.DS_Store")]]);
    const event = await drop([item(folder), item(fileEntry("/d.txt")), { kind: "string" }]);
    await until(() => view.text().includes("4 files"));

    const paths = model.requests("begin")[0]!.payload.files.map((one: { relative_path: string }) => one.relative_path);
    expect(paths).toEqual(["d.txt", "letters/a.txt", "letters/b.txt", "letters/old/c.txt"]);
    expect(view.text()).toContain("1 hidden file was left out");
    expect(event.defaultPrevented).toBe(true);
  });

  it("takes the same file once, and again after it was removed", async () => {
    const same = file("a.txt");
    await choose([same]);
    await choose([same]);
    await until(() => view.text().includes("in the list already"));
    await view.click("Remove a.txt");
    expect(model.requests("remove")).toHaveLength(1);
    await until(() => !view.text().includes("Ready"));
    await choose([same]);
    await until(() => view.text().includes("Ready"));

    expect(model.requests("begin")).toHaveLength(2);
  });

  it("names a dropped file that cannot be read, and takes the others", async () => {
    const closed = { isFile: true, fullPath: "/letters/b.txt", file: (_: unknown, no: (reason: Error) => void) => no(new Error("NotReadableError")) };
    await drop([item(folderEntry("/letters", [[fileEntry("/letters/a.txt"), closed]])), item(fileEntry("/c.txt"))]);
    await until(() => view.text().includes("2 files, 20 B, 1 left out"));

    expect(view.text()).toContain("letters/b.txtThe browser could not read this file.");
  });

  it("gives a file that failed another try when it is chosen again", async () => {
    const big = file("big.mp4", 7.3e9);
    await choose([big]);
    await choose([big]);
    await until(() => view.text().includes("1 left out"));

    expect(view.text()).not.toContain("in the list already");
    expect(view.el.querySelectorAll("tbody tr")).toHaveLength(1);
  });

  it("takes back a file that was removed before the kernel had heard of it", async () => {
    await view.close();
    let answer = () => undefined as void;
    await open({}, (sent) => (sent.message.action === "begin" ? void (answer = () => takeAll(sent)) : takeAll(sent)));
    await choose([file("empty.txt", 0)]);
    await until(() => view.text().includes("Waiting"));
    await view.click("Remove empty.txt");
    const { file: id } = model.requests("begin")[0]!.payload.files[0];
    const before = model.sent.length;
    await kernelSays(answer);

    expect(model.sent.slice(before).map((one) => one.message)).toMatchObject([{ action: "remove", payload: { file: id } }]);
  });

  it("says that the kernel is busy while it does not answer", async () => {
    await view.close();
    await open({}, ({ message }) => (message.action === "list" ? takeAll({ message, buffers: [] }) : undefined));
    vi.useFakeTimers();
    await choose([file("a.txt")]);
    await kernelSays(() => vi.advanceTimersByTime(4000));
    vi.useRealTimers();
    await until(() => view.text().includes("The kernel is busy"));
  });

  it("says that the kernel is gone when its comm throws", async () => {
    model.onSend = () => {
      throw new Error("Cannot send");
    };
    await choose([file("a.txt")]);
    await until(() => view.text().includes("The kernel behind this widget is gone. Run the cell again."));
  });

  it("refuses a file over the limit before a byte is sent, and lets the others go", async () => {
    await choose([file("big.mp4", 7.3e9), file("a.txt")]);
    await until(() => view.text().includes("1 file, 10 B, 1 left out"));

    expect(view.text()).toContain("Too big: 7.3 GB. The platform takes files of up to 5 GiB. Split it and upload the parts: a text by its lines (on Linux: split -C 1G --additional-suffix=.txt FILE)");
    expect(model.requests("begin")[0]!.payload.files).toHaveLength(1);
  });

  it("calls an empty file what the platform will call it, and never ready", async () => {
    hazardOf = (offered) => ({ action: "refuse", state: "empty", reason: "The file is empty; the platform refuses empty files.", remedy: "Fill it.", ...offered });
    await choose([file("empty.txt", 0)]);
    await until(() => view.text().includes("the platform refuses empty files. Fill it."));

    expect(view.text()).not.toContain("Ready");
    expect(view.text()).toContain("Cannot go up");
    expect(view.button("Upload")!.getAttribute("aria-disabled")).toBe("true");
    expect(model.sent.some((one) => one.message.kind === "chunk")).toBe(false);
  });

  it("announces thousands of files in a few requests, and draws only some", async () => {
    await choose(Array.from({ length: 1000 }, (_, index) => file(`f${index}.txt`, 0)));
    await until(() => view.text().includes("1,000 files"));

    expect(model.requests("begin")).toHaveLength(5);
    expect(view.el.querySelectorAll("tbody tr")).toHaveLength(100);
    expect(view.text()).toContain("and 900 more");
  });

  it("shows names as text, whatever they are", async () => {
    await choose([file("<img src=x onerror=alert(1)>\u202efdp.exe"), file("n".repeat(10_000))]);
    await until(() => view.text().includes("2 files"));

    expect(view.el.querySelector("img")).toBeNull();
    expect(view.text()).toContain("<img src=x onerror=alert(1)>\\u202efdp.exe");
    expect(view.text().length).toBeLessThan(1500);
  });

  it("has buttons that a keyboard reaches", () => {
    for (const name of ["Choose files", "Choose folder"]) expect(view.button(name)!.tabIndex).toBe(0);
  });
});

describe("the kernel's word", () => {
  it("on a file it cannot take is shown beside that file", async () => {
    refusalOf = (name) => (name === "a.txt" ? { message: "The disk is full.", remedy: "Free some." } : null);
    await choose([file("a.txt"), file("b.txt")]);
    await until(() => view.text().includes("1 file, 10 B, 1 left out"));

    expect(view.text()).toContain("The disk is full. Free some.");
  });

  it("on a file it gave up stops that file", async () => {
    await view.close();
    await open({}, (sent) => (sent.message.kind === "chunk" ? undefined : takeAll(sent)));
    await choose([file("a.txt")]);
    await until(() => model.sent.some((one) => one.message.kind === "chunk"));
    const id = model.requests("begin")[0]!.payload.files[0].file;
    await kernelSays(() => model.say({ kind: "refused", file: id, error: { message: "No space left.", remedy: "" } }));
    await until(() => view.text().includes("No space left."));

    expect(view.text()).toContain("Cannot go up");
  });

  it("on a file that failed on its way is asked again with one button", async () => {
    refusalOf = () => ({ message: "The disk is full.", remedy: "Free some." });
    await choose([file("a.txt")]);
    await until(() => view.text().includes("The disk is full."));
    refusalOf = () => null;
    await view.click("Try a.txt again");
    await until(() => view.text().includes("Ready"));

    expect(view.text()).not.toContain("The disk is full.");
    expect(view.el.querySelectorAll("tbody tr")).toHaveLength(1);
  });

  it("tells a reloaded page what is there already", async () => {
    await view.close();
    const held = (name: string, received: number) => ({ file: name[0]!.repeat(32), name, relative_path: name, size: 10, received, waits: false, meta: "" });
    await open({}, (sent) => {
      if (sent.message.action !== "list") return takeAll(sent);
      queueMicrotask(() => model.say({ kind: "response", id: sent.message.id, ok: true, result: { files: [held("a.txt", 10), held("b.txt", 4), held("c.txt", 0)], meta: "" } }));
    });
    await until(() => view.text().includes("2 left out"));

    expect(view.text()).toContain("Only a part of this file reached the kernel");
    expect(view.text()).toContain("browsers keep no file over that");
  });
});

describe("uploading", () => {
  const begun = async () => {
    await choose([file("a.txt")]);
    await until(() => view.button("Upload")?.getAttribute("aria-disabled") === "false");
  };

  it("says how names that are taken are to be treated", async () => {
    await begun();
    const select = view.el.querySelector("select")!;
    select.value = "OVERWRITE";
    await kernelSays(() => select.dispatchEvent(new Event("change", { bubbles: true })));
    await view.click("Upload");
    await view.click("Starting…");

    expect(model.requests("upload").map((one) => one.payload)).toMatchObject([{ write_mode: "OVERWRITE" }]);
    expect(model.requests("upload")[0]!.payload.page).toBe(model.requests("begin")[0]!.payload.page);
  });

  it("shows the job, and the drop zone again afterwards, empty", async () => {
    await begun();
    await view.click("Upload");
    await kernelSays(() => model.answer("upload"));
    await kernelSays(() => model.set("state", uploader({ job: job() })));
    expect(view.text()).toContain("Sending 2 of 3 files");
    expect(view.button("Upload more files")).toBeUndefined();

    await kernelSays(() => model.set("state", uploader({ job: job({ status: "done", can_cancel: false }) })));
    await view.click("Upload more files");
    expect(model.requests("clear")).toHaveLength(1);
    await kernelSays(() => model.set("state", uploader()));
    await until(() => view.text().includes("Drop files or folders here"));
    expect(view.text()).not.toContain("a.txt");
  });

  it("shows why the upload could not start", async () => {
    await begun();
    await view.click("Upload");
    await kernelSays(() => model.refuse("upload", "The key is wrong.", "Use dn.login()."));

    expect(view.text()).toContain("The key is wrong. Use dn.login().");
    expect(view.button("Upload")!.getAttribute("aria-disabled")).toBe("false");
  });
});

it("the list outlives a view and is the same in two", async () => {
  await choose([file("a.txt")]);
  await until(() => view.text().includes("Ready"));
  const el = document.createElement("div");
  let undo = () => undefined as void;
  await kernelSays(() => {
    undo = uploaderWidget.render({ model: model.anyModel, el });
  });

  expect(el.textContent).toContain("a.txt");
  await kernelSays(undo);
  expect(view.text()).toContain("a.txt");
});
