// Every text of the widgets, in the reader's language: English stands in the code, another language comes from the
// kernel as a catalogue, once a page. Translators change sentences in deepset_nb/locale/*.po, never here.

type Plural = { one: string; other: string };
export type Messages = { [sentence: string]: string | Plural };
type Values<V> = { [name: string]: V };

type Texts = { language: string; messages: Messages; readers: Set<() => void> };

/** Each widget has its own copy of this module; what the page knows is shared, so that later widgets never flash. */
const texts: Texts = ((globalThis as Record<symbol, unknown>)[Symbol.for("deepset_nb.texts")] ??= {
  language: "en",
  messages: {},
  readers: new Set(),
}) as Texts;

export function takeCatalogue(language: string, messages: Messages): void {
  texts.language = language;
  texts.messages = messages;
  for (const reader of texts.readers) reader();
}

/** Called back when the language has changed; returns the clean-up. */
export function onLanguage(reader: () => void): () => void {
  texts.readers.add(reader);
  return () => texts.readers.delete(reader);
}

export const language = (): string => texts.language;

/** For Intl: the reader's own variety (de-AT) of the language that the texts are in. */
export const locale = (): string => (navigator.language.split("-")[0] === texts.language ? navigator.language : texts.language);

/** A sentence with `{name}` for each value. */
export const t = (sentence: string, values: Values<string | number> = {}): string => rich(sentence, values).join("");

/** The same with elements among the values: what it returns is drawn as it is. */
export function rich<V>(sentence: string, values: Values<V>): (string | V)[] {
  const said = texts.messages[sentence];
  return fill(typeof said === "string" ? said : sentence, values);
}

/** One of two sentences by the rules of the language; `{count}` is the number. */
export function plural(count: number, one: string, many: string, values: Values<string | number> = {}): string {
  const said = texts.messages[one];
  const forms = typeof said === "object" ? said : { one, other: many };
  const form = new Intl.PluralRules(locale()).select(count) === "one" ? forms.one : forms.other;
  return fill(form, { count: new Intl.NumberFormat(locale()).format(count), ...values }).join("");
}

function fill<V>(sentence: string, values: Values<V>): (string | V)[] {
  return sentence.split(/\{(\w+)\}/).map((part, index) => (index % 2 && part in values ? values[part]! : part));
}
