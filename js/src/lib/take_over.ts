// Where the keyboard was in each widget of the page: a notebook draws an output afresh when its job has ended, and what it
// puts in the place of the old view takes over.
import type { AnyModel } from "@anywidget/types";
import { activeIn, controlsIn } from "./keyboard";

type Place = { control: HTMLElement; name: string; index: number };

const places: Map<unknown, Place> = ((globalThis as Record<symbol, unknown>)[Symbol.for("deepset_nb.keyboard")] ??= new Map()) as Map<unknown, Place>;
const LOOK_MS = 50;
const LOOKS = 40;

const nameOf = (control: HTMLElement): string => control.ariaLabel ?? control.textContent ?? "";

/** For `mount`. The widget's `key` tells it from all others, whatever views it has; returns the clean-up. */
export function takeOverKeyboard(root: HTMLElement, model: AnyModel): () => void {
  const key: unknown = model.get("key");
  let timer: ReturnType<typeof setTimeout> | undefined;
  const entered = ({ target }: FocusEvent) => {
    const control = target as HTMLElement;
    places.set(key, { control, name: nameOf(control), index: controlsIn(root).indexOf(control) });
  };
  // Browsers do not agree on whether a control that is taken away is left, so look afterwards.
  const left = ({ target }: FocusEvent) => {
    timer = setTimeout(() => {
      const control = target as HTMLElement;
      if (control.isConnected && !root.contains(activeIn(root)) && places.get(key)?.control === control) places.delete(key);
    });
  };
  let looks: ReturnType<typeof setTimeout> | undefined;
  const takeOver = (left: number) => {
    const before = places.get(key);
    if (!before || before.control.isConnected || !left) return;
    if (!root.isConnected) looks = setTimeout(takeOver, LOOK_MS, left - 1);
    else if ((activeIn(root) ?? document.body) === document.body) {
      const now = controlsIn(root);
      (now.find((control) => nameOf(control) === before.name) ?? now[before.index] ?? now[0])?.focus({ preventScroll: true });
    }
  };
  looks = setTimeout(takeOver, 0, LOOKS); // nothing is drawn yet
  root.addEventListener("focusin", entered);
  root.addEventListener("focusout", left);
  return () => {
    clearTimeout(timer);
    clearTimeout(looks);
  };
}
