// Which rows of a long table are in the page, and where: positions only, nothing of what they show.
import { useRef } from "preact/hooks";

export const ROW_PX = 32;
export const SPAN = 6; // rows drawn above and below what is in sight
const MOST_PX = 12_000_000; // browsers lay out no longer element; the scroll bar then stands for more

export type Shown = {
  first: number;
  last: number;
  /** The rows that can be seen. */
  inSight: [first: number, last: number];
  /** Of the element that is scrolled. */
  height: number;
  /** Added to the place of each row, where the scroll bar stands for more than the element has. */
  shift: number;
  /** Whether a place of the scroll bar asks for other rows. */
  differs: (top: number) => boolean;
  /** The place of the scroll bar that brings a row into sight, the nearest one. */
  reveal: (index: number, top: number) => number;
};

export function window_(extent: number, view: number, top: number, span = SPAN): Shown {
  const whole = extent * ROW_PX;
  const height = Math.min(whole, MOST_PX);
  const ratio = height === whole ? 1 : (whole - view) / (height - view);
  const place = (at: number) => at * ratio;
  const firstAt = (at: number) => Math.floor(place(at) / ROW_PX + 1e-6);
  const first = Math.max(0, firstAt(top) - span);
  const last = Math.min(extent - 1, firstAt(top) + Math.ceil(view / ROW_PX) + span);
  return {
    first,
    last,
    inSight: [firstAt(top), Math.min(extent - 1, firstAt(top) + Math.ceil(view / ROW_PX) - 1)],
    height,
    shift: top - place(top),
    differs: (at) => firstAt(at) !== firstAt(top) || ratio !== 1,
    reveal: (index, at) => {
      const above = index * ROW_PX;
      const below = above + ROW_PX - view;
      return Math.max(0, place(at) > above ? above : place(at) < below ? below : place(at)) / ratio;
    },
  };
}

/** Elements for rows: one that leaves the window is used for one that comes. The active row keeps its own, so that the
 * focus outlives scrolling. Returns pairs of element and row. */
export function useSlots(first: number, last: number, active: number): [slot: number, index: number][] {
  const slots = useRef(new Map<number, number>());
  const of = slots.current;
  const wanted = new Set<number>();
  for (let index = first; index <= last; index += 1) wanted.add(index);
  if (last >= first) wanted.add(active);
  for (const index of [...of.keys()]) if (!wanted.has(index)) of.delete(index);
  const used = new Set(of.values());
  let slot = 0;
  for (const index of wanted) {
    if (of.has(index)) continue;
    while (used.has(slot)) slot += 1;
    used.add(slot);
    of.set(index, slot);
  }
  // In the order of the rows, which is that of a screen reader.
  return [...of].map(([index, slot]): [number, number] => [slot, index]).sort((one, other) => one[1] - other[1]);
}
