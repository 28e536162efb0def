import { expect, it } from "vitest";
import type { JobState } from "../src/lib/messages";
import { milestone } from "../src/lib/milestones";
import { job } from "./model";

const sending = (bytes: number, changes: Partial<JobState> = {}): JobState => {
  const state = job({ failures: [], failures_total: 0, ...changes });
  state.phases[1]!.bytes_done = bytes;
  return state;
};

it("speaks when a phase begins, and at its quarters, but not in between", () => {
  const said: string[] = [];
  let before: JobState | null = null;
  for (let bytes = 0; bytes <= 4096; bytes += 128) {
    const after = sending(bytes);
    said.push(milestone(before, after));
    before = after;
  }

  expect(said.filter(Boolean)).toEqual(["Sending.", "Sending: 25 %.", "Sending: 50 %.", "Sending: 75 %."]);
});

it("names one new failure, and counts several", () => {
  const failure = { path: "b.pdf", status: "failed", reason: "", remedy: "" };

  expect(milestone(sending(10), sending(10, { failures: [failure], failures_total: 1 }))).toBe("Failed: b.pdf.");
  expect(milestone(sending(10), sending(10, { failures: [failure], failures_total: 4 }))).toBe("4 files failed.");
});

it("speaks the end with its note", () => {
  const end = sending(10, { status: "cancelled", headline: "Not finished", note: "The session stays open." });

  expect(milestone(sending(10), end)).toBe("Not finished. The session stays open.");
  expect(milestone(end, end)).toBe("");
});
