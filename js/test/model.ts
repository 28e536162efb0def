// A stand-in for the comm: what the widget sends is kept, what the kernel would send is emitted.
import type { AnyModel } from "@anywidget/types";
import { act } from "preact/test-utils";
import examples from "../../tests/contract/messages.json";
import type { JobState } from "../src/lib/messages";
import type { FileRow, FilesState, SessionsState } from "../src/lib/messages_browsers";
import type { UploaderState } from "../src/lib/upload_messages";

export type Sent = { message: any; buffers: ArrayBuffer[] };

export class FakeModel {
  sent: Sent[] = [];
  onSend: (sent: Sent) => void = () => undefined;
  readonly #listeners = new Map<string, Set<(...args: any[]) => void>>();

  constructor(private traits: Record<string, unknown>) {}

  get listeners(): number {
    return [...this.#listeners.values()].reduce((sum, set) => sum + set.size, 0);
  }

  get anyModel(): AnyModel {
    return this as unknown as AnyModel;
  }

  get(name: string): unknown {
    return this.traits[name];
  }

  on(event: string, callback: (...args: any[]) => void): void {
    this.#listeners.set(event, (this.#listeners.get(event) ?? new Set()).add(callback));
  }

  off(event: string, callback: (...args: any[]) => void): void {
    this.#listeners.get(event)?.delete(callback);
  }

  send(message: unknown, _callbacks?: unknown, buffers: ArrayBuffer[] = []): void {
    const sent = { message, buffers };
    this.sent.push(sent);
    this.onSend(sent);
  }

  emit(event: string, ...args: unknown[]): void {
    for (const callback of [...(this.#listeners.get(event) ?? [])]) callback(...args);
  }

  // ---- as the kernel

  set(name: string, value: unknown): void {
    this.traits[name] = value;
    this.emit(`change:${name}`);
  }

  say(message: unknown): void {
    this.emit("msg:custom", message, []);
  }

  requests(action: string): { id: string; payload: any }[] {
    return this.sent.map((one) => one.message).filter((message) => message.kind === "request" && message.action === action);
  }

  answer(action: string, result: object = {}): void {
    const { id } = this.requests(action).at(-1)!;
    this.say({ kind: "response", id, ok: true, result });
  }

  refuse(action: string, message: string, remedy = ""): void {
    const { id } = this.requests(action).at(-1)!;
    this.say({ kind: "response", id, ok: false, error: { message, remedy } });
  }
}

type Widget = {
  initialize: (props: { model: AnyModel }) => void | (() => void);
  render: (props: { model: AnyModel; el: HTMLElement }) => () => void;
};

/** Shows a widget as a notebook would; `close` undoes it. */
export async function show(widget: Widget, model: FakeModel) {
  const el = document.createElement("div");
  document.body.append(el);
  let undo: (void | (() => void))[] = [];
  await act(() => {
    undo = [widget.initialize({ model: model.anyModel }), widget.render({ model: model.anyModel, el })];
  });
  const close = async () => {
    await act(() => undo.reverse().forEach((step) => step?.()));
    el.remove();
  };
  const button = (name: string) =>
    [...el.querySelectorAll("button")].find((one) => (one.getAttribute("aria-label") ?? one.textContent)?.trim() === name);
  const click = async (name: string) => {
    const found = button(name);
    if (!found) throw new Error(`no button ${name} in: ${el.textContent}`);
    await kernelSays(() => found.click());
  };
  return { el, close, button, click, text: () => el.textContent ?? "" };
}

/** Something happens, and the widget draws what follows from it. */
export const kernelSays = (change: () => unknown) =>
  act(async () => {
    await change();
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  });

export const job = (changes: Partial<JobState> = {}): JobState => ({ ...(structuredClone(examples.JobState) as JobState), ...changes });
export const uploader = (changes: Partial<UploaderState> = {}): UploaderState => ({
  ...(structuredClone(examples.UploaderState) as UploaderState),
  job: null,
  ...changes,
});
export const sessions = (changes: Partial<SessionsState> = {}): SessionsState => ({
  ...(structuredClone(examples.SessionsState) as SessionsState),
  query: { status: "", created_by: "" },
  total: 1,
  extent: 1,
  looked_through: null,
  sessions: null,
  selected: 0,
  error: null,
  ...changes,
});

export const file = (number: number): FileRow => ({
  file_id: `${String(number).padStart(8, "0")}-5717-4562-b3fc-2c963f66afa6`,
  name: `report-${number}.txt`,
  size: 1000 + number,
  created_at: "2026-11-22T14:00:00+00:00",
  meta: [],
});
export const files = (extent: number, changes: Partial<FilesState> = {}): FilesState => ({
  ...(structuredClone(examples.FilesState) as FilesState),
  query: { name: "", filter: "", sort: "created_at", order: "DESC" },
  rows: Array.from({ length: Math.min(50, extent) }, (_, number) => file(number)),
  total: extent,
  extent,
  error: null,
  selected: 0,
  job: null,
  ...changes,
});

/** Until something asynchronous of the widget has happened. */
export async function until(condition: () => boolean, what = "the condition"): Promise<void> {
  for (let turn = 0; turn < 400; turn += 1) {
    if (condition()) return;
    await act(() => new Promise<void>((resolve) => setTimeout(resolve, 5)));
  }
  throw new Error(`${what} did not come`);
}
