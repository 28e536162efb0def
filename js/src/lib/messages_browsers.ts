// What the browsers of files and sessions hear from the kernel and say to it; the twin of widgets/messages_browsers.py.
import { jobState, problem, target } from "./messages";
import type { Of } from "./shape";

export const CHUNK = 50; // rows of an answer

// ---- states (written out: a builder leaves out what a widget does not use, but not what is spread)

export const fileRow = { file_id: "string", name: "string", size: "number", created_at: "string", meta: { $list: "string?" } } as const;
export const fileQuery = { name: "string", filter: "string", sort: ["created_at", "name"], order: ["ASC", "DESC"] } as const;

export const filesState = {
  target,
  query: fileQuery,
  revision: "number",
  version: "number",
  rows: { $list: fileRow },
  total: "number?",
  extent: "number",
  loading: "boolean",
  updated_at: "string?",
  error: { $maybe: problem },
  code: "string",
  selected: "number",
  keys: { $list: "string" },
  folder: "string",
  job: { $maybe: jobState },
} as const;

export const sessionCounts = { finished: "number", failed: "number", pending: "number?" } as const;
export const sessionRow = {
  session_id: "string",
  status: "string",
  created_at: "string",
  expires_at: "string?",
  created_by: "string?",
  write_mode: "string",
  counts: { $maybe: sessionCounts },
} as const;
export const sessionQuery = { status: ["", "OPEN", "CLOSED", "EXPIRED"], created_by: "string" } as const;
export const sessionsState = {
  target,
  query: sessionQuery,
  revision: "number",
  version: "number",
  rows: { $list: sessionRow },
  total: "number?",
  extent: "number",
  loading: "boolean",
  updated_at: "string?",
  error: { $maybe: problem },
  code: "string",
  selected: "number",
  looked_through: "number?",
  sessions: "number?",
} as const;

// ---- browser to kernel

export const rowsPayload = { chunk: "number", keys: { $list: "string" } } as const;
export const selectPayload = { ids: { $list: "string" }, on: "boolean", only: "boolean" } as const;
export const rangePayload = { first: "number", last: "number" } as const;
export const idPayload = { id: "string" } as const;
export const idsPayload = { ids: { $list: "string" } } as const;
export const outcomesPayload = { id: "string", status: ["", "FAILED", "PENDING", "FINISHED"], chunk: "number" } as const;
export const downloadPayload = { folder: "string" } as const;
export const deletePayload = { ids: { $list: "string" }, typed: "string" } as const;

// ---- kernel to browser

export const fileRows = { revision: "number", version: "number", rows: { $list: fileRow }, total: "number?", extent: "number" } as const;
export const sessionRows = { revision: "number", version: "number", rows: { $list: sessionRow }, total: "number?", extent: "number" } as const;
export const selection = { ids: { $list: "string" } } as const;
export const selected = { kind: ["selected"], ids: { $list: "string" } } as const;
/** How far a filtered listing has been read on the way to rows further down. */
export const walked = { kind: ["walked"], rows: "number" } as const;
export const fileDetails = {
  file_id: "string",
  name: "string",
  size: "number",
  created_at: "string",
  meta: { $list: { $list: "string" } },
  more: "number",
} as const;
export const countsOf = { session_id: "string", status: "string", counts: sessionCounts } as const;
export const countsResult = { sessions: { $list: countsOf } } as const;
export const outcome = { name: "string", status: "string", reason: "string", remedy: "string" } as const;
export const outcomesResult = { rows: { $list: outcome }, total: "number?", has_more: "boolean" } as const;
export const keptFile = { file_id: "string", name: "string", error: problem } as const;
export const deleteResult = { deleted: "number", kept: { $list: keptFile } } as const;
export const deleting = { kind: ["deleting"], done: "number", total: "number" } as const;

export type FileRow = Of<typeof fileRow>;
export type FileQuery = Of<typeof fileQuery>;
export type FilesState = Of<typeof filesState>;
export type SessionCounts = Of<typeof sessionCounts>;
export type SessionRow = Of<typeof sessionRow>;
export type SessionQuery = Of<typeof sessionQuery>;
export type SessionsState = Of<typeof sessionsState>;
export type FileDetails = Of<typeof fileDetails>;
export type Outcome = Of<typeof outcome>;
export type DeleteResult = Of<typeof deleteResult>;
