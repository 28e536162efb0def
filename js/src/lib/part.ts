// Parts of a widget that few people open: their script is fetched from the kernel when it is first needed. So a widget
// that is only looked at stays small, in messages and in the saved notebook.
import { Fragment, h, type ComponentType } from "preact";
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import { partResult } from "./messages";
import type { Requests } from "./requests";
import { is } from "./shape";

/** A part draws with the Preact of its widget: two of them would not know each other's state. See build.mjs. */
const host = { Fragment, h, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState };
export type Host = typeof host;

const loaded = new Map<string, unknown>();

export async function loadPart<M>(requests: Requests, name: string): Promise<M> {
  if (!loaded.has(name)) {
    const answer = await requests.call("part", { name });
    if (!is(partResult, answer)) throw new Error(name);
    // The way anywidget itself loads scripts, so it works wherever a widget does.
    const address = URL.createObjectURL(new Blob([answer.code], { type: "text/javascript" }));
    try {
      const { default: make } = (await import(address)) as { default: (given: Host) => M };
      loaded.set(name, make(host));
    } finally {
      URL.revokeObjectURL(address);
    }
  }
  return loaded.get(name) as M;
}

/** For tests, which have no kernel: the part is there already. */
export const providePart = (name: string, part: unknown): unknown => loaded.set(name, part);

/** The part's component once `wanted`; null until it has come. */
export function usePart<P>(requests: Requests, name: string, wanted: boolean): ComponentType<P> | null {
  const [part, setPart] = useState<{ default: ComponentType<P> } | null>((loaded.get(name) as { default: ComponentType<P> }) ?? null);
  useEffect(() => {
    if (wanted && !part) loadPart<{ default: ComponentType<P> }>(requests, name).then(setPart, () => undefined);
  }, [wanted, part, requests, name]);
  return part && wanted ? part.default : null;
}
