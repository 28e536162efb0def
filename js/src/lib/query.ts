import { useEffect, useRef, useState } from "preact/hooks";
import { useSlow } from "./hooks";
import type { Problem } from "./messages";
import { problemOf, type Requests } from "./requests";

export type Query<Q> = { busy: boolean; slow: boolean; problem: Problem | null; ask: (changes: Partial<Q>) => void };

/** Asks the kernel for another query, the last one only; what it refuses leaves the table as it is. */
export function useQuery<Q extends object>(requests: Requests, query: Q): Query<Q> {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const asking = useRef<AbortController | null>(null);
  const latest = useRef(query);
  latest.current = query;
  const wanted = useRef<Q | null>(null); // asked for and not here yet
  const slow = useSlow(busy);
  useEffect(() => () => asking.current?.abort(), []);
  const ask = async (changes: Partial<Q>) => {
    asking.current?.abort();
    const mine = (asking.current = new AbortController());
    wanted.current = { ...(wanted.current ?? latest.current), ...changes };
    setBusy(true);
    setProblem(null);
    try {
      await requests.call("query", wanted.current, mine.signal);
    } catch (reason) {
      if (!mine.signal.aborted) setProblem(problemOf(reason));
    } finally {
      if (asking.current === mine) {
        wanted.current = null;
        setBusy(false);
      }
    }
  };
  return { busy, slow, problem, ask: (changes: Partial<Q>) => void ask(changes) };
}
