import type { AnyModel } from "@anywidget/types";
import { render, type ComponentType } from "preact";
import { language, onLanguage } from "./i18n";
import { keepKeyboard } from "./keyboard";
import { Requests } from "./requests";
import { followTheme } from "./theme";

export type ViewProps = { model: AnyModel; requests: Requests };

/** Draws `View` into the cell's element; the returned clean-up undoes all of it. */
export function mount(View: ComponentType<ViewProps>, model: AnyModel, element: HTMLElement): () => void {
  const root = document.createElement("div");
  root.className = "dnb";
  element.append(root);
  const requests = new Requests(model);
  const draw = () => {
    root.lang = language();
    render(<View model={model} requests={requests} />, root);
  };
  const undo = [followTheme(root), keepKeyboard(root, model.get("key")), onLanguage(draw)];
  draw();
  return () => {
    render(null, root);
    requests.dispose();
    for (const step of undo) step();
    root.remove();
  };
}
