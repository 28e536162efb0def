import { useEffect, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { Queue } from "../lib/queue";
import { copyText } from "./CopyButton";

const SHOWN_MS = 2000;

/** Copies the Python that does the same as the Upload button. */
export function CopyCode({ queue }: { queue: Queue }) {
  const [copied, setCopied] = useState<boolean | null>(null);
  useEffect(() => {
    if (copied === null) return;
    const timer = setTimeout(() => setCopied(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async (button: HTMLElement) => {
    const code = await queue.code().catch(() => "");
    setCopied(code !== "" && (await copyText(code, button)));
  };
  return (
    <>
      <button type="button" class="dnb-button" onClick={(event) => void copy(event.currentTarget)}>
        {copied ? t("Copied") : t("Copy as Python")}
      </button>
      <span class="dnb-spoken" role="status">
        {copied === null ? "" : copied ? t("Copied") : t("Not allowed here")}
      </span>
    </>
  );
}
