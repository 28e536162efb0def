import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import panel from "../src/job_panel";
import { providePart } from "../src/lib/part";
import * as cancelChoice from "../src/parts/cancel_choice";
import * as receiptTable from "../src/parts/receipt_table";
import examples from "../../tests/contract/messages.json";
import { FakeModel, job, kernelSays, show, until } from "./model";

providePart("cancel_choice", cancelChoice);
providePart("receipt_table", receiptTable);

const open = async (state: unknown) => {
  const model = new FakeModel({ state });
  return { model, ...(await show(panel, model)) };
};

it("says hello when the model exists, before any view", async () => {
  const { model, close } = await open(job());

  expect(model.sent[0]!.message).toMatchObject({ kind: "hello", theme: "light" });
  await close();
});

it("shows headline, target, phases, bytes and speed", async () => {
  const { text, el, close } = await open(job());

  for (const part of ["Sending 2 of 3 files", "support-docs", "Acme", "api.cloud.deepset.ai", "2 of 3 files", "2 kB of 4.1 kB", "1 kB/s"]) {
    expect(text()).toContain(part);
  }
  expect([...el.querySelectorAll("progress")].map((bar) => bar.getAttribute("value"))).toEqual(["1", "0.5", "0"]);
  await close();
});

it.each([{}, null, { ...job(), phases: "none" }])("waits for the kernel while the state is %j", async (state) => {
  const { text, close } = await open(state);

  expect(text()).toContain("Waiting for the kernel");
  await close();
});

it("follows the state", async () => {
  const { model, text, close } = await open(job());
  await kernelSays(() => model.set("state", job({ status: "done", headline: "All 3 files are on the platform", can_cancel: false })));

  expect(text()).toContain("All 3 files are on the platform");
  await close();
});

describe("the failures", () => {
  it("are listed with reason and remedy", async () => {
    const { text, close } = await open(job());

    for (const part of ["1 file did not make it", "reports/b.pdf", "The file is empty.", "Put something into it."]) expect(text()).toContain(part);
    await close();
  });

  it("say how many more the receipt has", async () => {
    const { text, close } = await open(job({ failures_total: 35 }));

    expect(text()).toContain("and 34 more in job.receipt");
    await close();
  });

  it("are text, whatever the names are", async () => {
    const path = `<img src=x onerror=alert(1)>\u202e${"n".repeat(10_000)}`;
    const { el, text, close } = await open(job({ headline: "<b>bold</b>", failures: [{ path, status: "failed", reason: "<script>", remedy: "<a href=x>" }] }));

    expect(el.querySelector("img, script, a, b")).toBeNull();
    expect(text()).toContain("<img src=x onerror=alert(1)>\\u202e");
    expect(text().length).toBeLessThan(1500);
    await close();
  });
});

describe("the tone", () => {
  const toneOf = (el: HTMLElement) => /dnb-tone-(\w+)/.exec(el.querySelector(".dnb-job")!.className)![1];
  const counts = job().counts;

  it.each([
    ["active", job()],
    ["warn", job({ stalled: true })],
    ["ok", job({ status: "done", counts: { ...counts, failed: 0, ok: 2, skipped: 1 } })],
    ["fail", job({ status: "done", counts: { ...counts, failed: 0, ok: 2, unaccounted: 1 } })],
    ["fail", job({ status: "done", counts: { ...counts, failed: 0, ok: 2 } })],
    ["fail", job({ status: "failed" })],
    ["warn", job({ status: "cancelled" })],
  ])("is %s", async (tone, state) => {
    const { el, close } = await open(state);

    expect(toneOf(el)).toBe(tone);
    await close();
  });
});

describe("cancelling", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] }));
  afterEach(() => void vi.useRealTimers());

  it("names what each way of stopping does, with the numbers of now", async () => {
    const { model, click, button, text, el, close } = await open(job());
    await click("Cancel");
    expect(button("Cancel")!.getAttribute("aria-expanded")).toBe("true");
    expect(document.activeElement).toBe(button("Stop, ingest later"));
    for (const part of ["How should it stop? 2 of 3 files are sent.", "2 files wait in the upload session, not ingested. It stays open until", "Go on in this panel, or run the same cell again"]) {
      expect(text()).toContain(part);
    }
    expect(text()).toContain("the platform ingests the 2 files that wait in it");

    await kernelSays(() => model.set("state", job({ counts: { ...job().counts, waiting: 3 } })));
    expect(text()).toContain("ingests the 3 files that wait in it");
    expect(model.requests("cancel")).toHaveLength(0);
    await kernelSays(() => el.querySelector(".dnb-choice")!.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true })));
    expect(button("Stop, ingest later")).toBeUndefined();
    expect(document.activeElement).toBe(button("Cancel"));
    await close();
  });

  it.each([
    ["Stop, ingest later", "later"],
    ["Stop, keep what is sent", "keep"],
    ["Stop, remove what is sent", "remove"],
  ])("%s asks once, says so, and then shows the honest ending", async (way, ingest) => {
    const { model, click, button, text, close } = await open(job());
    await click("Cancel");
    await click(way);
    expect(model.requests("cancel").map((request) => request.payload)).toEqual([{ ingest }]);
    expect(button(way)).toBeUndefined();
    expect(button("Cancelling…")!.getAttribute("aria-disabled")).toBe("true");
    await click("Cancelling…");
    expect(model.requests("cancel")).toHaveLength(1);

    await kernelSays(() => model.answer("cancel"));
    await kernelSays(() => model.set("state", job({ status: "cancelling", can_cancel: false })));
    expect(text()).toContain("Cancelling…");
    await kernelSays(() => model.set("state", job({ status: "cancelled", can_cancel: false, can_retry: true, note: "The session stays open." })));
    expect(text()).toContain("The session stays open.");
    expect(button("Go on")).toBeDefined();
    await close();
  });

  it("offers to keep nothing where nothing is sent, and only to stop watching where all is", async () => {
    const { model, click, button, text, close } = await open(job({ counts: { ...job().counts, waiting: 0 } }));
    await click("Cancel");
    expect(button("Stop, keep what is sent")).toBeUndefined();
    expect(text()).toContain("Nothing waits in the upload session yet.");

    const states = ["done", "done", "active"] as const;
    await kernelSays(() => model.set("state", job({ phases: job().phases.map((phase, at) => ({ ...phase, state: states[at]! })) })));
    expect(button("Stop watching")).toBeDefined();
    expect(button("Stop, keep what is sent")).toBeUndefined();
    await close();
  });

  it.each([
    ["a download", { kind: "download" as const, session_id: null }],
    ["an upload that has no session yet", { session_id: null }],
  ])("needs no question for %s", async (_, changes) => {
    const { model, click, close } = await open(job(changes));
    await click("Cancel");

    expect(model.requests("cancel").map((request) => request.payload)).toEqual([{ ingest: "later" }]);
    await close();
  });

  it("goes away when the job ends meanwhile", async () => {
    const { model, click, button, close } = await open(job());
    await click("Cancel");
    await kernelSays(() => model.set("state", job({ status: "done", can_cancel: false })));

    expect(button("Stop, ingest later")).toBeUndefined();
    expect(button("Cancel")).toBeUndefined();
    await close();
  });

  it("says that the kernel is busy when no answer comes", async () => {
    const { click, text, close } = await open(job({ session_id: null }));
    await click("Cancel");
    expect(text()).not.toContain("busy");
    await kernelSays(() => vi.advanceTimersByTime(3100));

    expect(text()).toContain("The kernel is busy");
    await close();
  });

  it("shows why it was refused", async () => {
    const { model, click, text, button, close } = await open(job({ session_id: null }));
    await click("Cancel");
    await kernelSays(() => model.refuse("cancel", "It has ended.", "Look at the receipt."));

    expect(text()).toContain("It has ended. Look at the receipt.");
    expect(button("Cancel")).toBeDefined();
    await close();
  });

  it("lets the clock run on between updates, and says when news stays away", async () => {
    const { text, close } = await open(job({ elapsed_s: 60 }));
    await kernelSays(() => vi.advanceTimersByTime(5000));
    expect(text()).toContain("1:05");
    await kernelSays(() => vi.advanceTimersByTime(60_000));

    expect(text()).toContain("1:30");
    expect(text()).toMatch(/Last news 1:0\d ago/);
    await close();
  });
});

it("speaks of a download as one", async () => {
  const base = job();
  const { el, text, close } = await open(
    job({
      kind: "download",
      status: "done",
      headline: "2 of 3 files fetched, 1 was there already",
      session_id: null,
      expires_at: null,
      failures: [],
      failures_total: 0,
      counts: { ...base.counts, ok: 2, failed: 0, skipped: 1, there: 1 },
      phases: base.phases.slice(0, 2).map((phase, at) => ({ ...phase, state: "done", label: ["Listing", "Fetching"][at]! })),
    }),
  );

  expect(el.querySelector(".dnb-job")!.getAttribute("aria-label")).toBe("Download");
  expect(text()).toContain("1 there already");
  expect(text()).toContain("Fetching");
  expect(text()).not.toMatch(/upload|sen[dt]|left out|session/i);
  await close();
});

it("retries what failed", async () => {
  const { model, click, close } = await open(job({ status: "failed", can_cancel: false, can_retry: true, retry_files: 1 }));
  await click("Retry 1 file");

  expect(model.requests("retry")).toHaveLength(1);
  await close();
});

it("shows what is left only where that is known", async () => {
  const { model, text, close } = await open(job({ eta_s: 75 }));
  expect(text()).toContain("about 75 sec left");
  await kernelSays(() => model.set("state", job({ eta_s: 1140, speed_bps: 0 })));
  expect(text()).toContain("about 19 min left");
  expect(text()).not.toContain("/s");
  await kernelSays(() => model.set("state", job({ eta_s: null })));

  expect(text()).not.toContain("left");
  await close();
});

it("keeps the line of what goes on once there was something in it, until the end", async () => {
  const { model, el, close } = await open(job());
  const line = () => el.querySelector(".dnb-detail");
  expect(line()).toBeNull();
  await kernelSays(() => model.set("state", job({ detail: "Waiting, try 2 of 5 in 4 s: The bucket is busy." })));
  expect(line()!.textContent).toContain("try 2 of 5 in 4 s");
  await kernelSays(() => model.set("state", job()));
  expect(line()!.textContent).toBe("");
  await kernelSays(() => model.set("state", job({ status: "done" })));

  expect(line()).toBeNull();
  await close();
});

it("copies the line of Python that does the same", async () => {
  const written: string[] = [];
  vi.stubGlobal("navigator", { language: "en", clipboard: { writeText: async (text: string) => void written.push(text) } });
  const { model, click, button, text, close } = await open(job());
  await click("Copy as Python");
  await kernelSays(() => model.answer("job_code", examples.JobCodeResult));
  expect(written).toEqual(['ws.upload("reports/")']);
  expect(text()).toContain("Copied");
  await kernelSays(() => model.set("state", job({ has_code: false })));

  expect(button("Copy as Python")).toBeUndefined();
  await close();
  vi.unstubAllGlobals();
});

describe("the receipt", () => {
  const rows = (count: number, from = 0) => Array.from({ length: count }, (_, at) => ({ ...examples.ReceiptRow, path: `f${from + at}.txt` }));
  const page = (offset: number, count: number, total: number) => ({ ...examples.ReceiptResult, rows: rows(count, offset), offset, total, counts: { ...examples.ReceiptResult.counts, failed: total, pending: 0 } });
  const show1 = async () => {
    const opened = await open(job({ status: "failed", can_cancel: false }));
    await opened.click("Receipt");
    await kernelSays(() => opened.model.answer("receipt", page(0, 20, 45)));
    return opened;
  };

  it("is fetched when it is looked at, page by page", async () => {
    const { model, click, button, text, close } = await show1();
    expect(model.requests("receipt").at(-1)!.payload).toEqual({ status: "", offset: 0, limit: 20 });
    for (const part of ["f0.txt", "f19.txt", "2 kB", "failed · The file is empty. Put something into it.", "1 to 20 of 45", examples.ReceiptResult.code]) expect(text()).toContain(part);
    expect(button("Back")!.getAttribute("aria-disabled")).toBe("true");

    await click("Next");
    await kernelSays(() => model.answer("receipt", page(20, 20, 45)));
    await click("Next");
    expect(model.requests("receipt").at(-1)!.payload.offset).toBe(40);
    await kernelSays(() => model.answer("receipt", page(40, 5, 45)));
    expect(text()).toContain("41 to 45 of 45");
    expect(button("Next")!.getAttribute("aria-disabled")).toBe("true");
    await close();
  });

  it("is filtered by outcome", async () => {
    const { model, el, close } = await show1();
    const select = el.querySelector("select")!;
    expect([...select.options].map((option) => option.textContent)).toEqual(["all: 45", "failed: 45"]);
    select.value = "failed";
    await kernelSays(() => select.dispatchEvent(new Event("change", { bubbles: true })));

    expect(model.requests("receipt").at(-1)!.payload).toEqual({ status: "failed", offset: 0, limit: 20 });
    await close();
  });

  it("is asked for again while the job goes on, and tells the kernel when nobody waits for it", async () => {
    const { model, click, close } = await open(job({ elapsed_s: 4 }));
    await click("Receipt");
    await kernelSays(() => model.set("state", job({ elapsed_s: 5 })));
    expect(model.requests("receipt")).toHaveLength(1);
    await kernelSays(() => model.set("state", job({ elapsed_s: 6 })));
    expect(model.requests("receipt")).toHaveLength(2);
    const aborted = () => model.sent.filter(({ message }) => message.kind === "abort").length;
    expect(aborted()).toBe(1);
    await click("Receipt");

    expect(aborted()).toBe(2);
    await close();
  });

  it("says why it does not come", async () => {
    const { model, click, text, close } = await open(job());
    await click("Receipt");
    await kernelSays(() => model.refuse("receipt", "There is no job yet."));

    expect(text()).toContain("There is no job yet.");
    await close();
  });

  it("shows hostile names as text", async () => {
    const { model, el, click, text, close } = await open(job({ status: "failed" }));
    await click("Receipt");
    const row = { ...examples.ReceiptRow, path: "<img src=x onerror=alert(1)>\u202e", reason: "<b>", remedy: "<script>", status: "<i>" };
    await kernelSays(() => model.answer("receipt", { ...examples.ReceiptResult, rows: [row] }));

    expect(el.querySelector("img, b, i, script")).toBeNull();
    expect(text()).toContain("<img src=x onerror=alert(1)>\\u202e");
    await close();
  });
});

it("a view drawn afresh has the keyboard where the old one had it", async () => {
  const model = new FakeModel({ state: job(), key: "one" });
  const old = await show(panel, model);
  old.button("Copy as Python")!.focus();
  old.el.textContent = ""; // as JupyterLab does it, before the new view is made
  const drawn = await show(panel, model);
  await until(() => document.activeElement !== document.body, "the focus");
  expect(document.activeElement).toBe(drawn.button("Copy as Python"));

  const elsewhere = document.body.appendChild(document.createElement("button"));
  elsewhere.focus();
  const another = await show(panel, model);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(document.activeElement).toBe(elsewhere);
  elsewhere.remove();
  for (const view of [old, drawn, another]) await view.close();
});

it("keeps the focused button through updates", async () => {
  const { model, button, close } = await open(job());
  button("Cancel")!.focus();
  await kernelSays(() => model.set("state", job({ elapsed_s: 9, headline: "Sending 3 of 3 files" })));

  expect(document.activeElement).toBe(button("Cancel"));
  await close();
});

it("leaves nothing behind", async () => {
  const { model, el, close } = await open(job());
  expect(model.listeners).toBeGreaterThan(0);
  await close();

  expect(model.listeners).toBe(0);
  expect(el.childElementCount).toBe(0);
});

it("shows the same job in two views", async () => {
  const model = new FakeModel({ state: job() });
  const [one, two] = [await show(panel, model), await show(panel, model)];
  await kernelSays(() => model.set("state", job({ headline: "Both" })));

  expect([one.text(), two.text()].every((text) => text.includes("Both"))).toBe(true);
  await one.close();
  expect(two.text()).toContain("Both");
  await two.close();
});
