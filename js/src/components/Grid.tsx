import type { ComponentChild, ComponentChildren, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { formatNumber } from "../lib/format";
import { t } from "../lib/i18n";
import type { Rows } from "../lib/rows";
import { ROW_PX, SPAN, useSlots, window_ } from "../lib/window";
import { Icon } from "./Icon";

export type Column<R> = {
  key: string;
  head: string;
  /** The head is for screen readers alone. */
  spoken?: boolean;
  /** For `grid-template-columns`; in a narrow cell only columns with a second width are there. */
  width: string;
  narrow?: string;
  class?: string;
  sort?: "ascending" | "descending" | "none";
  onSort?: () => void;
  /** Why it is not sorted by. */
  hint?: string;
  cell: (row: R) => ComponentChildren;
};

const SPAN_AFTER_MS = 100;

type Props<R> = {
  label: string;
  rows: Rows<R>;
  columns: Column<R>[];
  keyOf: (row: R) => string;
  /** Nothing can be selected without. */
  selected?: ReadonlySet<string>;
  select?: (ids: string[], on: boolean, only?: boolean) => void;
  selectRange?: (first: number, last: number) => void;
  /** Enter, or a click on the row. */
  act?: (row: R) => void;
  /** The row that is acted on. */
  current?: string | null;
  /** Which rows are in sight. */
  inSight?: (first: number, last: number) => void;
  /** Shows them in words. */
  position?: RefObject<HTMLElement | null>;
  most?: number;
};

/** A table of any length: few rows are in the page, and one of them in the order of the Tab key. */
export function Grid<R>({ label, rows, columns, keyOf, selected, select, selectRange, act, current, inSight, position, most = 12 }: Props<R>) {
  const scroller = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [active, setActive] = useState(0);
  const [span, setSpan] = useState(0); // rows out of sight are drawn once the page has shown the others
  const anchor = useRef(0);
  const toFocus = useRef(false);
  const drawn = useRef(new Map<number, { looks: unknown[]; row: ComponentChild }>()).current;
  const { extent, revision } = rows;
  const fits = Math.max(1, Math.min(most, extent));
  const view = fits * ROW_PX;
  const shown = window_(extent, view, top, span);
  const here = Math.min(active, Math.max(0, extent - 1));
  const slots = useSlots(shown.first, shown.last, here);

  const before = focusIn(scroller.current);
  const place = before && scroller.current?.scrollTop;
  useLayoutEffect(() => {
    const grid = scroller.current!;
    // An element that is put elsewhere among its neighbours loses the focus, or the browser scrolls to it.
    if (toFocus.current) grid.querySelector<HTMLElement>(`[data-index="${here}"]`)?.focus({ preventScroll: true });
    else if (before?.isConnected && focusIn(grid) !== before) before.focus({ preventScroll: true });
    if (before && grid.scrollTop !== place) grid.scrollTop = place!;
    toFocus.current = false;
  });

  const known = useRef(revision);
  useLayoutEffect(() => {
    // Another table begins at its top. The first one is there: saying so would have the page laid out an extra time.
    if (known.current === revision) return;
    known.current = revision;
    setActive(0);
    anchor.current = 0;
    if (scroller.current) scroller.current.scrollTop = 0;
    setTop(0);
  }, [revision]);
  useEffect(() => {
    const timer = setTimeout(() => setSpan(SPAN), SPAN_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    rows.want(shown.first, shown.last);
    const [first, last] = shown.inSight;
    inSight?.(first, last + 1); // one more looks in between two places
    if (!position?.current) return;
    const place = { first: formatNumber(first + 1), last: formatNumber(last + 1) };
    position.current.textContent = extent > fits ? t("Rows {first} to {last}", place) : "";
  });
  const go = (index: number) => {
    const next = Math.max(0, Math.min(extent - 1, index));
    toFocus.current = true;
    setActive(next);
    if (scroller.current) setTop((scroller.current.scrollTop = shown.reveal(next, scroller.current.scrollTop)));
    return next;
  };
  const toggle = (index: number) => {
    const row = rows.at(index);
    if (!row || !select || !selected) return;
    anchor.current = index;
    select([keyOf(row)], !selected.has(keyOf(row)));
  };

  const typed = (event: KeyboardEvent) => {
    const moves: Record<string, number> = {
      ArrowDown: here + 1,
      ArrowUp: here - 1,
      PageDown: here + fits - 1,
      PageUp: here - fits + 1,
      Home: 0,
      End: extent - 1,
    };
    const move = moves[event.key];
    if ((event.target as Element).closest("button, input, a") || event.altKey) return;
    if (move !== undefined) {
      const next = go(move);
      if (event.shiftKey && selectRange) selectRange(anchor.current, next);
      else anchor.current = next;
    } else if (event.key === " " && select) {
      if (event.shiftKey && selectRange) selectRange(anchor.current, here);
      else toggle(here);
    } else if (event.key === "Enter" && act) {
      const row = rows.at(here);
      if (row) act(row);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const clicked = (event: MouseEvent, index: number) => {
    const target = event.target as Element;
    setActive(index);
    if (target.closest("button")) return;
    (event.currentTarget as HTMLElement).focus({ preventScroll: true });
    if (event.shiftKey && selectRange) selectRange(anchor.current, index);
    else if (event.ctrlKey || event.metaKey || target.closest(".dnb-check")) toggle(index);
    else {
      const row = rows.at(index);
      if (row) act?.(row);
    }
  };

  const widths = [select ? "34px" : "", ...columns.map((column) => column.width)].join(" ");
  const narrow = [select ? "34px" : "", ...columns.map((column) => column.narrow ?? "")].join(" ");
  return (
    <div
      ref={scroller}
      class="dnb-grid"
      role="grid"
      aria-label={label}
      aria-rowcount={rows.total === null ? -1 : extent + 1}
      aria-colcount={columns.length + (select ? 1 : 0)}
      aria-multiselectable={Boolean(select)}
      style={{ "--dnb-widths": widths, "--dnb-narrow": narrow, maxHeight: `${view + ROW_PX + 2}px` }}
      onScroll={(event) => {
        const { scrollTop } = event.currentTarget;
        if (shown.differs(scrollTop)) setTop(scrollTop);
      }}
      onKeyDown={typed}
    >
      <div class="dnb-plane">
        <div class="dnb-heads" role="row" aria-rowindex={1}>
          {select && (
            <div role="columnheader" class="dnb-check">
              <span class="dnb-spoken">{t("Selected")}</span>
            </div>
          )}
          {columns.map((column) => (
            <Head key={column.key} column={column} />
          ))}
        </div>
        <div class="dnb-body" role="rowgroup" style={{ height: `${shown.height}px` }}>
          {slots.map(([slot, index]) => {
            const row = rows.at(index);
            const key = row && keyOf(row);
            const chosen = key !== undefined && selected?.has(key);
            const open = key !== undefined && key === current;
            // A row that looks as before is not drawn again: scrolling draws only those that come into sight.
            const looks = [row, index, columns, selected, open, index === here, shown.shift];
            const before = drawn.get(slot);
            if (before && looks.every((one, at) => one === before.looks[at])) return before.row;
            const made = (
              <div
                key={slot}
                role="row"
                class={`dnb-row ${chosen ? "dnb-chosen" : ""} ${open ? "dnb-current" : ""}`}
                aria-rowindex={index + 2}
                aria-selected={Boolean(chosen)}
                aria-busy={!row}
                tabIndex={index === here ? 0 : -1}
                data-index={index}
                style={{ transform: `translateY(${index * ROW_PX + shown.shift}px)` }}
                onFocus={(event) => event.target === event.currentTarget && setActive(index)}
                onClick={(event) => clicked(event, index)}
              >
                {select && (
                  <div role="gridcell" class="dnb-check" title={t("Select")}>
                    {chosen ? <Icon name="ok" /> : <span class="dnb-box" />}
                  </div>
                )}
                {columns.map((column) => (
                  <div key={column.key} role="gridcell" class={classOf(column)}>
                    {row ? column.cell(row) : <span class="dnb-ghost" />}
                  </div>
                ))}
              </div>
            );
            drawn.set(slot, { looks, row: made });
            return made;
          })}
        </div>
      </div>
    </div>
  );
}

function focusIn(element: HTMLElement | null): HTMLElement | null {
  const active = (element?.getRootNode() as Document | ShadowRoot | undefined)?.activeElement ?? null;
  return element?.contains(active) ? (active as HTMLElement) : null;
}

const classOf = <R,>({ narrow, class: own = "" }: Column<R>): string => (narrow ? own : `${own} dnb-roomy`);

function Head<R>({ column }: { column: Column<R> }) {
  const { head, sort, onSort, hint, spoken } = column;
  return (
    <div role="columnheader" class={classOf(column)} aria-sort={sort} title={hint}>
      {onSort ? (
        <button type="button" class="dnb-sort" onClick={onSort}>
          {head} <span aria-hidden="true">{sort === "ascending" ? "↑" : sort === "descending" ? "↓" : ""}</span>
        </button>
      ) : (
        <span class={spoken ? "dnb-spoken" : ""}>{head}</span>
      )}
    </div>
  );
}
