// What both browsers keep beside their state: the rows in sight, and which are selected.
import type { AnyModel } from "@anywidget/types";
import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import type { Problem } from "./messages";
import { selected, selection } from "./messages_browsers";
import { notUnderstood, problemOf, type Requests } from "./requests";
import { Rows, type Answer } from "./rows";
import { is, type Of, type Shape } from "./shape";

export type Table<R> = {
  rows: Rows<R>;
  selected: ReadonlySet<string>;
  /** Why the last selection was refused. */
  problem: Problem | null;
  select: (ids: string[], on: boolean, only?: boolean) => void;
  selectRange: (first: number, last: number) => void;
};

const NONE: string[] = [];

type State<R> = Answer<R> & { selected: number };

/** `keys` are metadata columns: the rows of the state have none, so those in sight are fetched again. */
export function useTable<R>(
  model: AnyModel,
  requests: Requests,
  state: State<R>,
  answer: Shape,
  keys: string[] = NONE,
): Table<R> {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const columns = useRef(keys);
  const rows = useMemo(
    () =>
      new Rows<R>(async (chunk, signal) => {
        const result = await requests.call("rows", { chunk, keys: columns.current }, signal);
        if (!is(answer, result)) throw notUnderstood();
        return result as Answer<R>;
      }, () => redraw(undefined)),
    [requests],
  );
  useEffect(() => () => rows.dispose(), [rows]);
  if (columns.current.join("\n") !== keys.join("\n")) {
    columns.current = keys;
    rows.revision = -1; // values of other keys stand under other heads: `take` begins anew
  }
  rows.take(state, keys.length === 0);

  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    const heard = (message: unknown) => {
      if (is(selected, message)) setChosen(new Set(message.ids));
    };
    model.on("msg:custom", heard);
    if (state.selected) void choose("selection", {}); // made in another view
    return () => model.off("msg:custom", heard);
  }, [model]);

  const choose = async (action: string, payload: object) => {
    setProblem(null);
    try {
      const result: unknown = await requests.call(action, payload);
      if (is(selection, result)) setChosen(new Set((result as Of<typeof selection>).ids));
    } catch (reason) {
      setProblem(problemOf(reason));
      if (action !== "selection") void choose("selection", {}).then(() => setProblem(problemOf(reason)));
    }
  };
  return {
    rows,
    selected: chosen,
    problem,
    select: (ids, on, only = false) => {
      // Shown at once; the kernel has the last word.
      const next = new Set(only ? [] : chosen);
      for (const id of ids) if (on) next.add(id); else next.delete(id);
      setChosen(next);
      void choose("select", { ids, on, only });
    },
    selectRange: (first, last) => void choose("select_range", { first, last }),
  };
}
