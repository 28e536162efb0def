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
