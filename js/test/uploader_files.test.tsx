import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { providePart } from "../src/lib/part";
import type { MetaProblem } from "../src/lib/upload_messages";
import * as files from "../src/parts/files";
import uploaderWidget from "../src/uploader";
import { FakeModel, job, kernelSays, show, uploader, until, type Sent } from "./model";

providePart("files", files);

let model: FakeModel;
let view: Awaited<ReturnType<typeof show>>;
let keys = 0;
let metaProblem: MetaProblem | null = null;
const page = () => model.requests("begin")[0]!.payload.page as string;

/** A kernel that leaves the files in the page. */
const kernel = ({ message }: Sent): void => {
  if (message.kind !== "request" || message.action === "upload") return;
  const count = model.requests("begin").length;
  const result =
    {
      list: { files: [], meta: "" },
      begin: { refused: [], send: [] },
      plan: { send: count, bytes: 10 * count, hazards: [], more: 0 },
      meta: { problem: metaProblem },
      code: { code: 'ws.upload(["a.txt"])' },
    }[message.action as string] ?? {};
  queueMicrotask(() => model.say({ kind: "response", id: message.id, ok: true, result }));
};

/** The bucket, as the browser's XMLHttpRequest reaches it. */
class Bucket {
  static posts: Bucket[] = [];
  static readable = true;
  upload: { onprogress?: (event: { loaded: number; total: number }) => void } = {};
  onloadend?: () => void;
  status = 0;
  responseText = "";
  headers = "";
  url = "";
  aborted = false;
  form = new FormData();
  open(_: string, url: string) {
    this.url = url;
  }
  send(form: FormData) {
    this.form = form;
    Bucket.posts.push(this);
  }
  abort() {
    this.aborted = true;
    this.onloadend?.();
  }
  getAllResponseHeaders() {
    return this.headers;
  }
  answers(status: number, text = "", headers = "") {
    Object.assign(this, { status, responseText: text, headers });
    this.onloadend?.();
  }
}

beforeEach(async () => {
  metaProblem = null;
  Bucket.posts = [];
  globalThis.XMLHttpRequest = Bucket as unknown as typeof XMLHttpRequest;
  model = new FakeModel({ state: uploader(), key: `files${(keys += 1)}` });
  model.onSend = kernel;
  view = await show(uploaderWidget, model);
  const input = view.el.querySelector<HTMLInputElement>("[data-dnb=files]")!;
  Object.defineProperty(input, "files", { value: [new File(["0123456789"], "a.txt")], configurable: true });
  await kernelSays(() => input.dispatchEvent(new Event("change", { bubbles: true })));
  await until(() => view.button("Upload")?.getAttribute("aria-disabled") === "false");
});
afterEach(async () => {
  await view.close();
  expect(model.listeners).toBe(0);
});

const id = () => model.requests("begin")[0]!.payload.files[0].file as string;
const tell = (message: object) => kernelSays(() => model.say({ page: page(), ...message }));
const order = (name: string, file = id()) =>
  tell({ kind: "order", order: name, file, url: "http://bucket/", fields: { key: "k/${filename}", policy: "SECRET" }, name: "a.txt" });
const answers = () => model.sent.map((one) => one.message).filter((message) => message.kind === "answered");

describe("the direct lane", () => {
  it("keeps the files in the page, posts them as it is told, and reports how it went", async () => {
    expect(model.sent.some((one) => one.message.kind === "chunk")).toBe(false);
    await order("one");
    const [post] = Bucket.posts;
    expect([...post!.form.keys()]).toEqual(["key", "policy", "file"]);
    expect(await (post!.form.get("file") as File).text()).toBe("0123456789");

    await kernelSays(() => post!.upload.onprogress!({ loaded: 105, total: 110 }));
    await until(() => model.sent.some((one) => one.message.kind === "loaded" && one.message.orders.one === 5));
    await kernelSays(() => post!.answers(204));
    expect(answers()).toMatchObject([{ order: "one", status: 204, problem: "" }]);
  });

  it("hands the bucket's refusal to the kernel as it is, with the wait it asks for", async () => {
    await order("one");
    await kernelSays(() => Bucket.posts[0]!.answers(503, "<Error><Code>SlowDown</Code></Error>", "content-type: text/xml\r\nRetry-After: 7\r\n"));

    expect(answers()).toMatchObject([{ status: 503, body: "<Error><Code>SlowDown</Code></Error>", retry_after: "7" }]);
  });

  it("tells a file that changed under it from a broken connection", async () => {
    await order("one");
    await kernelSays(() => Bucket.posts[0]!.answers(0));
    await until(() => answers().length === 1);
    expect(answers()[0]).toMatchObject({ status: 0, problem: "" });

    const { arrayBuffer } = Blob.prototype;
    Blob.prototype.arrayBuffer = () => Promise.reject(new Error("NotReadableError"));
    await order("two");
    await kernelSays(() => Bucket.posts[1]!.answers(0));
    await until(() => answers().length === 2);
    Blob.prototype.arrayBuffer = arrayBuffer;
    expect(answers()[1]).toMatchObject({ status: 0, problem: "unreadable" });
  });

  it("says at once that it does not have a file", async () => {
    await order("one", "f".repeat(32));

    expect(answers()).toMatchObject([{ order: "one", status: 0, problem: "unknown" }]);
    expect(Bucket.posts).toHaveLength(0);
  });

  it("probes a bucket without any form, and takes only a bucket for one", async () => {
    await tell({ kind: "probe", order: "p1", url: "http://bucket/" });
    expect([...Bucket.posts[0]!.form.keys()]).toEqual(["file"]);
    await kernelSays(() => Bucket.posts[0]!.answers(400, "<Error><Code>InvalidArgument</Code></Error>"));
    await tell({ kind: "probe", order: "p2", url: "http://bucket/" });
    await kernelSays(() => Bucket.posts[1]!.answers(200, "<html>Sign in to the WiFi</html>"));

    expect(answers()).toMatchObject([
      { order: "p1", status: 400 },
      { order: "p2", status: 0 },
    ]);
  });

  it("sends a file through the kernel when it is asked to", async () => {
    model.onSend = (sent) => {
      const { message } = sent;
      if (message.kind !== "chunk") return kernel(sent);
      const { file, offset, length } = message;
      queueMicrotask(() => model.say({ kind: "ack", file, offset, length, received: offset + length }));
    };
    await tell({ kind: "fetch", order: "f1", file: id() });
    await until(() => answers().length === 1);

    expect(answers()).toMatchObject([{ order: "f1", status: 200 }]);
    expect(model.sent.filter((one) => one.message.kind === "chunk")).toHaveLength(1);
  });

  it("stops a post that is withdrawn, and says no more of it", async () => {
    await order("one");
    await tell({ kind: "withdraw", order: "one" });

    expect(Bucket.posts[0]!.aborted).toBe(true);
    expect(answers()).toEqual([]);
  });

  it("posts six at a time", async () => {
    for (let number = 0; number < 9; number += 1) await order(`o${number}`);
    expect(Bucket.posts).toHaveLength(6);
    await kernelSays(() => Bucket.posts[0]!.answers(204));

    expect(Bucket.posts).toHaveLength(7);
  });

  it("answers a roll call, and leaves orders to other pages alone", async () => {
    await tell({ kind: "rollcall" });
    expect(model.sent.at(-1)!.message).toMatchObject({ kind: "loaded", page: page() });
    const before = model.sent.length;
    await kernelSays(() => model.say({ kind: "rollcall", page: "f".repeat(32) }));

    expect(model.sent).toHaveLength(before);
  });

  it("warns before the page is left while it posts, and not afterwards", async () => {
    const leaves = () => {
      const event = new Event("beforeunload", { cancelable: true });
      dispatchEvent(event);
      return event.defaultPrevented;
    };
    expect(leaves()).toBe(false);
    await order("one");
    expect(leaves()).toBe(true);
    await kernelSays(() => Bucket.posts[0]!.answers(204));

    expect(leaves()).toBe(false);
  });

  it("says which way the files went", async () => {
    const running = (lanes: { direct: number; kernel: number; page: number }, changes = {}) =>
      kernelSays(() => model.set("state", uploader({ job: job(changes), lanes })));
    await running({ direct: 1, kernel: 0, page: 2 });
    expect(view.text()).toContain("Straight from this browser to the bucket. Keep this page open until all are sent.");
    await running({ direct: 0, kernel: 3, page: 0 });
    expect(view.text()).toContain("Through the notebook's kernel.");
    await running({ direct: 2, kernel: 1, page: 0 }, { status: "done" });
    expect(view.text()).toContain("2 files straight from this browser to the bucket, the others through the notebook's kernel.");
  });
});

describe("metadata", () => {
  const type = async (text: string) => {
    const area = view.el.querySelector("textarea")!;
    area.value = text;
    await kernelSays(() => area.dispatchEvent(new Event("input", { bubbles: true })));
  };

  it("of all files is checked by the kernel while it is typed, and wrong metadata is not uploaded", async () => {
    metaProblem = { message: "This is not JSON: Expecting value.", remedy: "Write a JSON object.", line: 2, column: 12 };
    await view.click("Metadata of all files");
    await type('{"a": 1,\n "topic": }');
    await until(() => view.text().includes("Line 2, column 12 This is not JSON: Expecting value. Write a JSON object."));
    expect(model.requests("meta").at(-1)!.payload).toEqual({ file: null, text: '{"a": 1,\n "topic": }' });
    expect(view.button("Upload")!.getAttribute("aria-disabled")).toBe("true");
    const area = view.el.querySelector("textarea")!;
    expect(area.getAttribute("aria-invalid")).toBe("true");
    await view.click("Line 2, column 12");
    expect(area.selectionStart).toBe(20);

    metaProblem = null;
    await type('{"topic": "news"}');
    await until(() => view.button("Upload")?.getAttribute("aria-disabled") === "false");
    expect(area.getAttribute("aria-invalid")).toBe("false");
  });

  it("of one file is kept with it, and shown", async () => {
    await view.click("Metadata of a.txt");
    await type('{"year": 2024}');
    await until(() => model.requests("meta").length === 1);
    expect(model.requests("meta")[0]!.payload).toEqual({ file: id(), text: '{"year": 2024}' });
    await view.click("Close the metadata");

    await until(() => view.text().includes("own metadata"));
    await view.click("Metadata of a.txt");
    expect(view.el.querySelector("textarea")!.value).toBe('{"year": 2024}');
  });

  it("closes with Escape, and the focus goes back to where it came from", async () => {
    view.button("Metadata of all files")!.focus();
    await view.click("Metadata of all files");
    await kernelSays(() => view.el.querySelector("textarea")!.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true })));

    expect(view.el.querySelector("textarea")).toBeNull();
    expect(document.activeElement).toBe(view.button("Metadata of all files"));
  });
});

it("copies the Python that does the same", async () => {
  let copied = "";
  Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text: string) => void (copied = text) }, configurable: true });
  await view.click("Copy as Python");
  await until(() => view.text().includes("Copied"));

  expect(copied).toBe('ws.upload(["a.txt"])');
});
