import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "./messages";
import { problemOf, type Requests } from "./requests";

const SLOW_MS = 5000;

export type Query<Q> = { busy: boolean; slow: boolean; problem: Problem | null; ask: (changes: Partial<Q>) => void };

/** Asks the kernel for another query, the last one only; what it refuses leaves the table as it is. */
export function useQuery<Q extends object>(requests: Requests, query: Q): Query<Q> {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const asking = useRef<AbortController | null>(null);
  const [slow, setSlow] = useState(false);
  useEffect(() => () => asking.current?.abort(), []);
  useEffect(() => {
    setSlow(false);
    if (!busy) return;
    const timer = setTimeout(() => setSlow(true), SLOW_MS);
    return () => clearTimeout(timer);
  }, [busy]);
  const ask = async (changes: Partial<Q>) => {
    asking.current?.abort();
    const mine = (asking.current = new AbortController());
    setBusy(true);
    setProblem(null);
    try {
      await requests.call("query", { ...query, ...changes }, mine.signal);
    } catch (reason) {
      if (!mine.signal.aborted) setProblem(problemOf(reason));
    } finally {
      if (asking.current === mine) setBusy(false);
    }
  };
  return { busy, slow, problem, ask: (changes: Partial<Q>) => void ask(changes) };
}
