import { useEffect, useState } from "preact/hooks";
import { Icon } from "./Icon";

const SHOWN_MS = 2000;

/** Copies a text and says so. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (!said) return;
    const timer = setTimeout(() => setSaid(""), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async (event: MouseEvent) => {
    const button = event.currentTarget as HTMLElement;
    setSaid((await copyText(text, button)) ? "Copied" : "Not allowed here");
  };
  return (
    <>
      <button type="button" class="dnb-quiet" aria-label={label} title={label} onClick={(event) => void copy(event)}>
        {said === "Copied" ? <Icon name="ok" /> : <Icon name="copy" />}
      </button>
      <span class="dnb-spoken" role="status">
        {said}
      </span>
    </>
  );
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
