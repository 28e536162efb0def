import type { AnyModel } from "@anywidget/types";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import type { Problem } from "./messages";
import { problemOf, Requests } from "./requests";
import { is, type Of, type Shape } from "./shape";

/** A trait of the Python object; null while it is missing or of a shape this bundle does not know. */
export function useTrait<const S extends Shape>(model: AnyModel, name: string, shape: S): Of<S> | null {
  const [value, setValue] = useState<unknown>(() => model.get(name));
  // Before the first paint: what the kernel sends while that is under way is then part of it.
  useLayoutEffect(() => {
    const update = () => setValue(model.get(name));
    update();
    model.on(`change:${name}`, update);
    return () => model.off(`change:${name}`, update);
  }, [model, name]);
  return is(shape, value) ? value : null;
}

/** The time, every `everyMs` while `active`. */
export function useNow(active: boolean, everyMs = 1000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!active) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [active, everyMs]);
  return now;
}

/** When `value` last became another object, in milliseconds. */
export function useChangedAt(value: unknown): number {
  const [seen, setSeen] = useState({ value, at: Date.now() });
  if (seen.value !== value) {
    const next = { value, at: Date.now() };
    setSeen(next);
    return next.at;
  }
  return seen.at;
}

export type Draft = {
  text: string;
  type: (text: string) => void;
  /** Notes that this text is asked for now, and shows it. */
  ask: (text: string) => void;
};

/** A text being typed over `value`, which it follows where somebody else changed it: another view, say. */
export function useDraft(value: string, busy: boolean): Draft {
  const [draft, setDraft] = useState({ text: value, over: value, asked: value });
  let { text } = draft;
  // While it is drawn and not in an effect: one runs a moment after the field is there, and undid what was typed until
  // then. What arrives while we wait for an answer may be older than the question.
  if (!busy && value !== draft.over) {
    if (value !== draft.asked) text = value;
    setDraft({ text, over: value, asked: value });
  }
  return {
    text,
    type: (next) => setDraft((current) => ({ ...current, text: next })),
    ask: (next) => setDraft((current) => ({ ...current, text: next, asked: next.trim() })),
  };
}

export type Action = {
  /** The action that waits for its answer, else null. */
  pending: string | null;
  /** The kernel has not answered for a while: it probably runs a cell. */
  slow: boolean;
  error: Problem | null;
  run: (action: string, payload?: object) => Promise<boolean>;
};

const SLOW_AFTER_MS = 3000;

/** Whether something has been waited for longer than people like to. */
export function useSlow(waiting: boolean): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    setSlow(false);
    if (!waiting) return;
    const timer = setTimeout(() => setSlow(true), SLOW_AFTER_MS);
    return () => clearTimeout(timer);
  }, [waiting]);
  return slow;
}

/** One request at a time from a button, with what a person needs to see of it. */
export function useAction(requests: Requests): Action {
  const [pending, setPending] = useState<string | null>(null);
  const slow = useSlow(!!pending);
  const [error, setError] = useState<Action["error"]>(null);
  const run = async (action: string, payload: object = {}): Promise<boolean> => {
    setPending(action);
    setError(null);
    try {
      await requests.call(action, payload);
      return true;
    } catch (reason) {
      setError(problemOf(reason));
      return false;
    } finally {
      setPending(null);
    }
  };
  return { pending, slow, error, run };
}
