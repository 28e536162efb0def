// Questions to the kernel. Each carries an id and is always answered, with an error if need be.
import type { AnyModel } from "@anywidget/types";
import { t } from "./i18n";
import { refusal, success, type Problem } from "./messages";
import { is } from "./shape";

/** The kernel said no: what happened, and what to do next. */
export class RequestError extends Error {
  readonly remedy: string;
  constructor(problem: Problem) {
    super(problem.message);
    this.remedy = problem.remedy;
  }
}

export const gone = (): Problem => ({ message: t("The kernel behind this widget is gone."), remedy: t("Run the cell again.") });

export const notUnderstood = (): RequestError =>
  new RequestError({ message: t("The kernel's answer was not understood."), remedy: t("Reload the page.") });

/** What to show of whatever was thrown. */
export function problemOf(reason: unknown): Problem {
  const { message, remedy = "" } = reason as RequestError;
  return { message, remedy };
}

export const newId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

type Waiting = { resolve: (result: unknown) => void; reject: (reason: Error) => void };

/**
 * No time-out of its own: a kernel that runs a cell answers when the cell ends. Give a `signal` to stop waiting;
 * the kernel is told.
 */
export class Requests {
  readonly #model: AnyModel;
  readonly #waiting = new Map<string, Waiting>();

  constructor(model: AnyModel) {
    this.#model = model;
    model.on("msg:custom", this.#receive);
  }

  call(action: string, payload: object = {}, signal?: AbortSignal): Promise<unknown> {
    const id = newId();
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#waiting.delete(id);
        reject(new RequestError({ message: t("Stopped waiting for the kernel."), remedy: "" }));
        this.say({ kind: "abort", id });
      };
      const settled = () => signal?.removeEventListener("abort", giveUp);
      this.#waiting.set(id, {
        resolve: (result) => (settled(), resolve(result)),
        reject: (reason) => (settled(), reject(reason)),
      });
      signal?.addEventListener("abort", giveUp, { once: true });
      if (!this.say({ kind: "request", id, action, payload })) this.#take(id)?.reject(new RequestError(gone()));
    });
  }

  /** Sends what needs no answer; a comm throws after its kernel was restarted or shut down. */
  say(message: object): boolean {
    try {
      this.#model.send(message);
      return true;
    } catch {
      return false;
    }
  }

  dispose(): void {
    this.#model.off("msg:custom", this.#receive);
    for (const waiting of this.#waiting.values()) {
      waiting.reject(new RequestError({ message: t("The view was closed."), remedy: "" }));
    }
    this.#waiting.clear();
  }

  readonly #receive = (message: unknown): void => {
    if (is(success, message)) {
      this.#take(message.id)?.resolve(message.result);
    } else if (is(refusal, message)) {
      this.#take(message.id)?.reject(new RequestError(message.error));
    }
  };

  #take(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}
