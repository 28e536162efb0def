// How the sessions in sight stand: asked for when they come into sight, and again while something moves.
import { useEffect, useRef, useState } from "preact/hooks";
import { countsResult, type SessionCounts, type SessionRow } from "./messages_browsers";
import type { Requests } from "./requests";
import type { Rows } from "./rows";
import { is } from "./shape";
import { moves } from "./verdict";

export type Known = ReadonlyMap<string, { status: string; counts: SessionCounts }>;

const SETTLED_MS = 120; // what only flies past is not asked about
const SOON_MS = 2_000;
const LATEST_MS = 30_000;
const SLOWER = 1.5; // each time nothing has changed
export const QUIET_MS = 10 * 60_000; // without any change: then it stops until somebody does something

/** `watched` is whether anybody looks; a change of `woken` begins anew. Returns what is known, and a function that is told which rows are in sight. */
export function useCounts(requests: Requests, rows: Rows<SessionRow>, watched: boolean, woken: unknown) {
  const [known, setKnown] = useState<Known>(new Map());
  const sight = useRef<[number, number]>([0, -1]);
  const latest = useRef(known);
  latest.current = known;
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const asked = useRef("");

  /** A listing that says it is over is newer than what was heard while it was open. */
  const of = (row: SessionRow) => {
    const said = latest.current.get(row.session_id);
    return said?.status === "OPEN" && row.status !== "OPEN" ? undefined : said;
  };
  const inSight = (): SessionRow[] => {
    const [first, last] = sight.current;
    const found: SessionRow[] = [];
    for (let index = first; index <= last; index += 1) {
      const row = rows.at(index);
      if (row) found.push(row);
    }
    return found;
  };
  const ask = async (action: "counts" | "watch", ids: string[]): Promise<boolean> => {
    const answer = await requests.call(action, { ids });
    if (!is(countsResult, answer)) return false;
    const next = new Map(latest.current);
    let changed = false;
    for (const { session_id: id, status, counts } of answer.sessions) {
      const before = next.get(id);
      changed ||= before?.status !== status || JSON.stringify(before.counts) !== JSON.stringify(counts);
      next.set(id, { status, counts });
    }
    if (changed) setKnown(next);
    return changed;
  };

  // ---- rows that come into sight
  const look = (first: number, last: number) => {
    sight.current = [first, last];
    const missing = inSight().filter((row) => !row.counts && !of(row)).map((row) => row.session_id);
    if (!watched || missing.join() === asked.current) return;
    asked.current = missing.join();
    clearTimeout(timer.current);
    if (!missing.length) return;
    // Those it says nothing of, as the kernel is just listing anew, are asked about when the table is next drawn.
    const again = () => void (asked.current = "");
    timer.current = setTimeout(() => void ask("counts", missing.slice(0, 50)).then(again, again), SETTLED_MS);
  };
  useEffect(() => () => clearTimeout(timer.current), []);

  // ---- while something moves
  useEffect(() => {
    if (!watched) return;
    let wait = SOON_MS;
    let quiet = 0;
    let next: ReturnType<typeof setTimeout>;
    let over = false;
    const tick = async () => {
      const moving = inSight().filter((row) => {
        const now = of(row);
        return moves(now?.status ?? row.status, now?.counts ?? row.counts);
      });
      quiet += wait;
      if (moving.length) {
        const changed = await ask("watch", moving.map((row) => row.session_id)).catch(() => false);
        wait = changed ? SOON_MS : Math.min(LATEST_MS, wait * SLOWER);
        if (changed) quiet = 0;
      }
      if (!over && quiet < QUIET_MS) next = setTimeout(() => void tick(), wait);
    };
    next = setTimeout(() => void tick(), wait);
    return () => {
      over = true;
      clearTimeout(next);
    };
  }, [watched, rows.revision, woken]);

  return { known, look, of };
}
