const PATHS = {
  ok: "M3.5 8.5l3 3 6-7",
  fail: "M4.5 4.5l7 7m0-7l-7 7",
  warn: "M8 4.5v4.25m0 2.5v.25",
  wait: "M8 4.75V8l2.25 1.5",
  now: "M8 8v.01",
  stop: "M4.5 8h7",
  drop: "M8 10.5v-7m-2.75 2.5L8 3.25 10.75 6M3.25 10v2.75h9.5V10",
  copy: "M6 6h6.5v6.5H6zM3.5 10V3.5H10",
  run: "M8 3a5 5 0 1 1-4.5 2.8",
};
const BARE = ["drop", "copy", "run"]; // the others stand in a ring

export type IconName = keyof typeof PATHS;

/** Decoration only: the words beside it say the same. */
export function Icon({ name }: { name: IconName }) {
  const ringed = !BARE.includes(name);
  return (
    <svg class={`dnb-icon dnb-icon-${name}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      {ringed && <circle cx="8" cy="8" r="6.75" />}
      <path d={PATHS[name]} transform={ringed ? "translate(2.4 2.4) scale(.7)" : ""} />
    </svg>
  );
}
