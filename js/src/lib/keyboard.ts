// The keyboard's place in a widget: not shared with the notebook around it, and kept when a redraw takes the control
// that has it away.

const CONTROLS = "a[href], button, input:not([hidden]), select, textarea, summary, [tabindex]";

export const activeIn = (root: HTMLElement): Element | null => (root.getRootNode() as Document | ShadowRoot).activeElement;
export const controlsIn = (root: HTMLElement): HTMLElement[] => [...root.querySelectorAll<HTMLElement>(CONTROLS)];

/** Returns the clean-up. */
export function keepKeyboard(root: HTMLElement): () => void {
  let order: HTMLElement[] = []; // the controls when one of them was reached
  let last: HTMLElement | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const entered = (event: FocusEvent) => {
    last = event.target as HTMLElement;
    order = controlsIn(root);
  };
  // Browsers do not agree on whether a control that is taken away is left, so look afterwards.
  const left = () => {
    timer = setTimeout(() => {
      if (last?.isConnected && !root.contains(activeIn(root))) last = null;
    });
  };
  const redrawn = new MutationObserver(() => {
    if (!last || last.isConnected || (activeIn(root) ?? document.body) !== document.body) return;
    const after = order.slice(order.indexOf(last)).find((control) => control.isConnected);
    (after ?? controlsIn(root)[0])?.focus();
  });
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
    redrawn.disconnect();
    removeEventListener("keydown", typed, true);
  };
}
