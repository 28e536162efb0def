// Every message and state that crosses between browser and kernel; the twin of widgets/messages.py.
// tests/contract/messages.json holds one example of each and is checked from both sides.
import type { Of } from "./shape";

// ---- states (traits)

export const target = { workspace: "string", host: "string", organisation: "string?" } as const;

export const phase = {
  name: ["planning", "sending", "ingesting"],
  label: "string",
  state: ["waiting", "active", "done", "failed"],
  files_done: "number",
  files_total: "number",
  bytes_done: "number",
  bytes_total: "number",
} as const;

export const failure = { path: "string", status: "string", reason: "string", remedy: "string" } as const;

export const counts = { total: "number", ok: "number", failed: "number", skipped: "number", there: "number", unaccounted: "number", cancelled: "number", waiting: "number" } as const;

export const jobState = {
  kind: ["upload", "download"],
  status: ["running", "cancelling", "done", "failed", "cancelled"],
  headline: "string",
  detail: "string",
  target,
  phases: { $list: phase },
  speed_bps: "number?",
  eta_s: "number?",
  stalled: "boolean",
  elapsed_s: "number",
  counts,
  failures: { $list: failure },
  failures_total: "number",
  session_id: "string?",
  expires_at: "string?",
  can_cancel: "boolean",
  can_retry: "boolean",
  retry_files: "number",
  note: "string?",
  has_code: "boolean",
} as const;

export const problem = { message: "string", remedy: "string" } as const;

// ---- browser to kernel

/** Request `part`: the script of a part of the widget, see part.ts. */
export const partPayload = { name: "string" } as const;
export const hello = {
  kind: ["hello"],
  theme: ["light", "dark"],
  locale: "string",
} as const;
/** `payload` depends on the action; without anything to say it is an empty object. */
export const request = { kind: ["request"], id: "string", action: "string", payload: {} } as const;
export const abort = { kind: ["abort"], id: "string" } as const;
export const cancelPayload = { ingest: ["later", "keep", "remove"] } as const;
export const receiptPayload = { status: "string", offset: "number", limit: "number" } as const;

// ---- kernel to browser

export const success = { kind: ["response"], id: "string", ok: [true], result: {} } as const;
export const refusal = { kind: ["response"], id: "string", ok: [false], error: problem } as const;
export const partResult = { code: "string" } as const;
/** The answer to a hello in a language that the kernel has; `messages` are for i18n.ts. */
export const catalogue = { kind: ["catalogue"], language: "string", messages: {} } as const;

export const receiptRow = {
  path: "string",
  size: "number",
  status: "string",
  phase: "string",
  reason: "string",
  remedy: "string",
  file_id: "string?",
} as const;
/** A page of a job's files; `code` gives them all in Python. */
export const receiptResult = {
  rows: { $list: receiptRow },
  offset: "number",
  total: "number",
  counts: { pending: "number", ok: "number", failed: "number", skipped: "number", unaccounted: "number", cancelled: "number" },
  code: "string",
} as const;
export const jobCodeResult = { code: "string" } as const;

export type Target = Of<typeof target>;
export type Phase = Of<typeof phase>;
export type Failure = Of<typeof failure>;
export type JobState = Of<typeof jobState>;
export type ReceiptRow = Of<typeof receiptRow>;
export type ReceiptResult = Of<typeof receiptResult>;
export type Problem = Of<typeof problem>;
export type Hello = Of<typeof hello>;
export type WriteMode = "KEEP" | "OVERWRITE" | "FAIL";
