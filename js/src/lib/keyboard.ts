// The keyboard's place in a widget: not shared with the notebook around it, and kept when a redraw takes the control
// that has it away.

const CONTROLS = "a[href], button, input:not([hidden]), select, textarea, summary, [tabindex]";

type Place = { control: HTMLElement; name: string; index: number };

// Where the keyboard was in each widget of the page: a notebook draws an output afresh when its job has ended, and what
// it puts in the place of the old view takes over.
const places: Map<unknown, Place> = ((globalThis as Record<symbol, unknown>)[Symbol.for("deepset_nb.keyboard")] ??= new Map()) as Map<unknown, Place>;
const LOOK_MS = 50;
const LOOKS = 40;

const nameOf = (control: HTMLElement): string => control.ariaLabel ?? control.textContent ?? "";

/** Returns the clean-up. `key` tells the widget from all others, whatever views it has; without one no view takes over. */
export function keepKeyboard(root: HTMLElement, key?: unknown): () => void {
  const active = () => (root.getRootNode() as Document | ShadowRoot).activeElement;
  const controls = () => [...root.querySelectorAll<HTMLElement>(CONTROLS)];
  let order: HTMLElement[] = []; // the controls when one of them was reached
  let last: HTMLElement | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const entered = (event: FocusEvent) => {
    last = event.target as HTMLElement;
    order = controls();
    if (key) places.set(key, { control: last, name: nameOf(last), index: order.indexOf(last) });
  };
  // Browsers do not agree on whether a control that is taken away is left, so look afterwards.
  const left = () => {
    timer = setTimeout(() => {
      if (!last?.isConnected || root.contains(active())) return;
      if (places.get(key)?.control === last) places.delete(key);
      last = null;
    });
  };
  const redrawn = new MutationObserver(() => {
    if (!last || last.isConnected || (active() ?? document.body) !== document.body) return;
    const after = order.slice(order.indexOf(last)).find((control) => control.isConnected);
    (after ?? controls()[0])?.focus();
  });
  let looks: ReturnType<typeof setTimeout> | undefined;
  const takeOver = (left: number) => {
    const before = places.get(key);
    if (!before || before.control.isConnected || !left) return;
    if (!root.isConnected) looks = setTimeout(takeOver, LOOK_MS, left - 1);
    else if ((active() ?? document.body) === document.body) {
      const now = controls();
      (now.find((control) => nameOf(control) === before.name) ?? now[before.index] ?? now[0])?.focus({ preventScroll: true });
    }
  };
  if (key) looks = setTimeout(takeOver, 0, LOOKS); // nothing is drawn yet
  // JupyterLab's shortcuts come first, even before a button's Enter or a list's arrows, and two d delete the cell.
  // Those with a modifier (save, run) stay the notebook's.
  const typed = ({ target, ctrlKey, metaKey, altKey }: KeyboardEvent) => {
    if (root.contains(target as Node)) (target as Element).toggleAttribute("data-lm-suppress-shortcuts", !(ctrlKey || metaKey || altKey));
  };

  root.addEventListener("focusin", entered);
  root.addEventListener("focusout", left);
  redrawn.observe(root, { childList: true, subtree: true });
  addEventListener("keydown", typed, true);
  return () => {
    clearTimeout(timer);
    clearTimeout(looks);
    redrawn.disconnect();
    removeEventListener("keydown", typed, true);
  };
}
