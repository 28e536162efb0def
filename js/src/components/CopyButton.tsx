import { useEffect, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { visible } from "../lib/text";
import { Icon } from "./Icon";

const SHOWN_MS = 2000;

/** Copies a text and says so; `words` beside the icon where there is room for them. */
export function CopyButton({ text, label, words }: { text: string | (() => Promise<string>); label: string; words?: string }) {
  const [copied, setCopied] = useState<boolean | null>(null);
  useEffect(() => {
    if (copied === null) return;
    const timer = setTimeout(() => setCopied(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async (event: MouseEvent) => {
    const button = event.currentTarget as HTMLElement;
    const copied = typeof text === "string" ? text : await text().catch(() => "");
    setCopied(copied !== "" && (await copyText(copied, button)));
  };
  return (
    <>
      <button type="button" class="dnb-quiet" aria-label={words ? undefined : label} title={label} onClick={(event) => void copy(event)}>
        <Icon name={copied ? "ok" : "copy"} /> {words}
      </button>
      <span class="dnb-spoken" role="status">
        {copied === null ? "" : copied ? t("Copied") : t("Not allowed here")}
      </span>
    </>
  );
}

/** The beginning of an id in a row; a click copies all of it. Without a state, because rows are used for others. */
export function CopyId({ id, label }: { id: string; label: string }) {
  const copy = async ({ currentTarget: button }: { currentTarget: HTMLElement }) => {
    if (!(await copyText(id, button))) return;
    button.dataset.copied = t("Copied");
    setTimeout(() => delete button.dataset.copied, SHOWN_MS);
  };
  return (
    <button type="button" tabIndex={-1} class="dnb-quiet dnb-copy" title={label} aria-label={`${label} ${id.slice(0, 8)}`} onClick={(event) => void copy(event)}>
      <code>{visible(id.slice(0, 8))}…</code>
    </button>
  );
}

export async function copyText(text: string, beside: HTMLElement): Promise<boolean> {
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
