// Light or dark, as the page around the widget really is. Hosts that publish colours (JupyterLab, VS Code) are
// followed by tokens.css; this decides the plain fallback and the native controls.

export type Theme = "light" | "dark";

export function themeOf(element: Element): Theme {
  for (let node: Element | null = element; node; node = parentOf(node)) {
    const { light, alpha } = brightness(getComputedStyle(node).backgroundColor);
    if (alpha > 0.5) return light < 0.5 ? "dark" : "light";
  }
  return preferred();
}

/** Of a computed colour, both from 0 to 1. Browsers hand back the notation that the page used: marimo's is oklch. */
export function brightness(colour: string): { light: number; alpha: number } {
  const [, kind = "", inside = ""] = /^([a-z]+)\((?:[a-z][\w-]* )?(.*)\)$/.exec(colour) ?? [];
  const [first = 0, second = 0, third = 0, alpha = kind ? 1 : 0] = (inside.match(/-?[\d.]+(?:e-?\d+)?/g) ?? []).map(Number);
  if (kind.startsWith("ok")) return { light: first ** 1.35, alpha }; // its middle grey is at 0.6
  if (kind.startsWith("l")) return { light: first / 100, alpha };
  return { light: (0.299 * first + 0.587 * second + 0.114 * third) / (kind === "color" ? 1 : 255), alpha };
}

/** Keeps `root` marked with the theme of its surroundings; returns the clean-up. */
export function followTheme(root: HTMLElement): () => void {
  const around = () => root.parentElement ?? hostOf(root) ?? document.body;
  const update = () => {
    root.dataset.theme = themeOf(around());
  };
  // A theme switch repaints the page a moment after it changed its attributes or style sheets.
  let timer: ReturnType<typeof setTimeout> | undefined;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(update, 150);
  };
  const observer = new MutationObserver(soon);
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, { attributes: true, attributeFilter: ["class", "style", "theme", "data-theme", "data-jp-theme-name", "data-vscode-theme-kind"] });
  }
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", soon);
  update();
  soon(); // the element may be attached to the page only after the first paint
  return () => {
    clearTimeout(timer);
    observer.disconnect();
    media.removeEventListener("change", soon);
  };
}

const preferred = (): Theme => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

const hostOf = (node: Node): Element | null => {
  const root = node.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
};

const parentOf = (node: Element): Element | null => node.parentElement ?? hostOf(node);
