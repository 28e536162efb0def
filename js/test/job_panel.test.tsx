import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import panel from "../src/job_panel";
import { FakeModel, job, kernelSays, show } from "./model";

const open = async (state: unknown) => {
  const model = new FakeModel({ state });
  return { model, ...(await show(panel, model)) };
};

it("says hello when the model exists, before any view", async () => {
  const { model, close } = await open(job());

  expect(model.sent[0]!.message).toMatchObject({ kind: "hello", frontend: "unknown", theme: "light" });
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
    ["ok", job({ status: "done", counts: { ...counts, failed: 0 } })],
    ["fail", job({ status: "done", counts: { ...counts, failed: 0, unaccounted: 1 } })],
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

  it("asks once, says so, and then shows the honest ending", async () => {
    const { model, click, button, text, close } = await open(job());
    await click("Cancel");
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

  it("says that the kernel is busy when no answer comes", async () => {
    const { click, text, close } = await open(job());
    await click("Cancel");
    expect(text()).not.toContain("busy");
    await kernelSays(() => vi.advanceTimersByTime(3100));

    expect(text()).toContain("The kernel is busy");
    await close();
  });

  it("shows why it was refused", async () => {
    const { model, click, text, button, close } = await open(job());
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
      counts: { ...base.counts, ok: 2, failed: 0, skipped: 1 },
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
  const { model, click, close } = await open(job({ status: "failed", can_cancel: false, can_retry: true }));
  await click("Retry 1 file");

  expect(model.requests("retry")).toHaveLength(1);
  await close();
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
