import { t } from "../lib/i18n";
import { visible } from "../lib/text";
import { Icon } from "./Icon";

const SHOWN_MS = 2000;
const timers = new WeakMap<HTMLElement, ReturnType<typeof setTimeout>>();

type Text = string | (() => Promise<string>);

/** Copies a text; `words` beside the icon where there is room for them. */
export function CopyButton({ text, label, words }: { text: Text; label: string; words?: string }) {
  return (
    <>
      <button type="button" class="dnb-quiet dnb-copy" aria-label={words ? undefined : label} title={label} onClick={(event) => void copy(text, event)}>
        <Icon name="copy" /> {words}
      </button>
      <span class="dnb-spoken" role="status" />
    </>
  );
}

/** The beginning of an id in a row; a click copies all of it. */
export function CopyId({ id, label }: { id: string; label: string }) {
  return (
    <button type="button" tabIndex={-1} class="dnb-quiet dnb-copy dnb-id" title={label} aria-label={`${label} ${id.slice(0, 8)}`} onClick={(event) => void copy(id, event)}>
      <code>{visible(id.slice(0, 8))}…</code>
    </button>
  );
}

/** Says for a while what came of it: in the button's own attribute, as rows are drawn again for others meanwhile. */
async function copy(text: Text, { currentTarget: button }: { currentTarget: HTMLElement }): Promise<void> {
  const copied = typeof text === "string" ? text : await text().catch(() => "");
  const said = copied && (await copyText(copied, button)) ? t("Copied") : t("Not allowed here");
  const say = (words: string) => {
    button.dataset.copied = words; // styles/base.css shows it
    if (button.nextElementSibling) button.nextElementSibling.textContent = words;
  };
  say(said);
  clearTimeout(timers.get(button));
  timers.set(button, setTimeout(() => say(""), SHOWN_MS));
}

async function copyText(text: string, beside: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No clipboard on pages without https, and in some frames.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "dnb-spoken";
    beside.after(area);
    area.select();
    try {
      return document.execCommand("copy");
    } catch {
      return false;
    } finally {
      area.remove();
      beside.focus();
    }
  }
}
