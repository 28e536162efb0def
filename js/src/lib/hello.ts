// The browser introduces itself, so that the kernel knows a live view exists and what it can do.
import type { AnyModel } from "@anywidget/types";
import { takeCatalogue, type Messages } from "./i18n";
import { catalogue, type Hello } from "./messages";
import { is } from "./shape";
import { themeOf } from "./theme";

/** Returns the clean-up. */
export function sayHello(model: AnyModel): () => void {
  const heard = (message: unknown) => {
    // Every page of the kernel hears it; only those that asked for this language take it.
    if (is(catalogue, message) && languageOf(pageLocale()) === message.language) takeCatalogue(message.language, message.messages as Messages);
  };
  model.on("msg:custom", heard);
  const message: Hello = {
    kind: "hello",
    frontend: frontend(),
    theme: themeOf(document.body),
    locale: pageLocale(),
  };
  model.send(message);
  return () => model.off("msg:custom", heard);
}

/**
 * The language that this front end is used in. JupyterLab and Notebook write the chosen language pack into the page,
 * others do the same or let the browser decide. English says nothing there: it is what every page is born with, also
 * where no language can be chosen.
 */
export function pageLocale(): string {
  const { lang } = document.documentElement;
  return lang && languageOf(lang) !== "en" ? lang : navigator.language;
}

const languageOf = (locale: string): string => locale.split(/[-_]/)[0]!.toLowerCase();

/** A guess for messages and limits; nothing breaks where it is wrong. */
export function frontend(): string {
  const page = globalThis as unknown as { google?: { colab?: unknown } };
  const { body } = document;
  if (page.google?.colab) return "colab";
  if (body.dataset.vscodeThemeKind) return "vscode";
  if (document.querySelector("marimo-filename, marimo-mode, #marimo")) return "marimo";
  if (body.dataset.notebook !== undefined) return "notebook";
  if (document.querySelector(".jp-LabShell")) return "jupyterlab";
  if (document.querySelector("#rendered_cells, #voila_status")) return "voila";
  return "unknown";
}
