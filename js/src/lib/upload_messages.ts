// The messages and the state of the uploader; the twin of widgets/upload_messages.py, see messages.ts.
import { jobState, problem, target, type WriteMode } from "./messages";
import type { Of } from "./shape";

// ---- state (a trait)

/** Files that went each way, and those this upload still waits for in a page. */
export const lanes = { direct: "number", kernel: "number", page: "number" } as const;
export const uploaderState = {
  target,
  file_limit_bytes: "number",
  files: "number",
  complete: "number",
  bytes: "number",
  received_bytes: "number",
  lanes,
  job: { $maybe: jobState },
} as const;

// ---- browser to kernel

/** Comes with exactly one buffer. */
export const chunk = { kind: ["chunk"], file: "string", offset: "number", length: "number", xxh32: "number" } as const;
/** This page is there, and so many bytes of its posts are out: `orders` by id. */
export const loaded = { kind: ["loaded"], page: "string", orders: {} } as const;
/** What the bucket answered; status 0 if nothing came. */
export const answered = {
  kind: ["answered"],
  order: "string",
  status: "number",
  body: "string",
  retry_after: "string",
  problem: ["", "unknown", "unreadable"],
} as const;
/** `changed` in milliseconds since 1970. */
export const offeredFile = { file: "string", name: "string", relative_path: "string", size: "number", changed: "number" } as const;
export const beginPayload = { files: { $list: offeredFile }, page: "string", loopback: "boolean", secure: "boolean" } as const;
export const filePayload = { file: "string" } as const;
export const pagePayload = { page: "string" } as const;
export const uploadPayload = { write_mode: ["KEEP", "OVERWRITE", "FAIL"], page: "string" } as const;
export const metaPayload = { file: "string?", text: "string" } as const;

// ---- kernel to browser

/** `received` counts bytes without a gap from the start; `offset` and `length` name the piece that just arrived. */
export const ack = { kind: ["ack"], file: "string", received: "number", offset: "number", length: "number" } as const;
/** The piece did not arrive whole: send it again. */
export const nack = { kind: ["nack"], file: "string", offset: "number", length: "number", reason: "string" } as const;
/** The kernel gives up on a file. */
export const refused = { kind: ["refused"], file: "string", error: problem } as const;

/** Post this file with this form. The form is a credential: it lives as long as the one post. */
export const order = {
  kind: ["order"],
  page: "string",
  order: "string",
  file: "string",
  url: "string",
  fields: {},
  name: "string",
} as const;
/** See whether this bucket answers this page, without any form. */
export const probe = { kind: ["probe"], page: "string", order: "string", url: "string" } as const;
/** Send this file to the kernel after all. */
export const fetch = { kind: ["fetch"], page: "string", order: "string", file: "string" } as const;
export const withdraw = { kind: ["withdraw"], page: "string", order: "string" } as const;
/** Say `loaded` if you are there. */
export const rollCall = { kind: ["rollcall"], page: "string" } as const;

/** The others of the offered files stay here until they are asked for. */
export const beginResult = { refused: { $list: { file: "string", error: problem } }, send: { $list: "string" } } as const;
export const range = { offset: "number", length: "number" } as const;
export const receivedResult = { received: "number", missing: { $list: range } } as const;
/** `waits`: its bytes are in the page that asks. */
export const heldFile = {
  file: "string",
  name: "string",
  relative_path: "string",
  size: "number",
  received: "number",
  waits: "boolean",
  meta: "string",
} as const;
export const listResult = { files: { $list: heldFile }, meta: "string" } as const;
/** Line and column from 1; 0 where it has no place. */
export const metaProblem = { message: "string", remedy: "string", line: "number", column: "number" } as const;
export const metaResult = { problem: { $maybe: metaProblem } } as const;
export const hazard = {
  file: "string",
  path: "string",
  action: ["send", "refuse", "skip"],
  state: "string",
  reason: "string",
  remedy: "string",
} as const;
export const planResult = { send: "number", bytes: "number", hazards: { $list: hazard }, more: "number" } as const;
export const codeResult = { code: "string" } as const;

export type { WriteMode };
export type UploaderState = Of<typeof uploaderState>;
export type Lanes = Of<typeof lanes>;
export type Chunk = Of<typeof chunk>;
export type Ack = Of<typeof ack>;
export type Nack = Of<typeof nack>;
export type Range = Of<typeof range>;
export type OfferedFile = Of<typeof offeredFile>;
export type MetaProblem = Of<typeof metaProblem>;
export type Hazard = Of<typeof hazard>;
export type Plan = Of<typeof planResult>;
export type Order = Omit<Of<typeof order>, "fields"> & { fields: { [name: string]: string } };
export type Answered = Of<typeof answered>;
