import { useEffect, useRef, useState } from "preact/hooks";
import { formatNumber } from "../lib/format";
import { t } from "../lib/i18n";
import type { Queue } from "../lib/queue";
import { visible } from "../lib/text";

const ASK_AFTER_MS = 250; // of a pause in typing

type Props = { queue: Queue; id: string | null; path: string; onClose: () => void };

/** Metadata of one file, or of all: checked while it is typed, by the kernel's own rules. */
export function MetaEditor({ queue, id, path, onClose }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const given = id === null ? queue.meta : (queue.items.find((item) => item.id === id)?.meta ?? "");
  const [text, setText] = useState(given);
  const saved = useRef(given);
  const latest = useRef(text);
  latest.current = text;
  const save = () => {
    if (saved.current !== latest.current) void queue.setMeta(id, latest.current);
    saved.current = latest.current;
  };
  useEffect(() => {
    const timer = setTimeout(save, ASK_AFTER_MS);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => {
    area.current?.focus();
    return save;
  }, []);

  const problem = queue.plans.metaProblem(id);
  const label = id === null ? t("Metadata of all files") : t("Metadata of {path}", { path: visible(path) });
  const goThere = () => {
    if (!problem || !area.current) return;
    const before = text.split("\n").slice(0, problem.line - 1);
    const at = before.reduce((sum, line) => sum + line.length + 1, 0) + problem.column - 1;
    area.current.focus();
    area.current.setSelectionRange(at, at + 1);
  };
  return (
    <div
      class="dnb-meta"
      onKeyDown={(event) => {
        if (event.key === "Enter" && event.target === area.current && !(event.ctrlKey || event.metaKey || event.altKey)) {
          event.preventDefault(); // JupyterLab forbids line breaks in outputs
          document.execCommand("insertText", false, "\n");
        }
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onClose();
      }}
    >
      <div class="dnb-head">
        <label for={`${queue.page}-meta`} class="dnb-titles">
          {label}
        </label>
        <button type="button" class="dnb-quiet" aria-label={t("Close the metadata")} title={t("Close")} onClick={onClose}>
          ✕
        </button>
      </div>
      <textarea
        id={`${queue.page}-meta`}
        ref={area}
        class="dnb-area"
        rows={4}
        spellcheck={false}
        autocomplete="off"
        placeholder={'{"topic": "news", "year": 2026}'}
        value={text}
        aria-invalid={problem !== null}
        aria-describedby={`${queue.page}-said`}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <p id={`${queue.page}-said`} class={problem ? "dnb-wrong" : "dnb-muted"} role="status">
        {problem ? (
          <>
            {problem.line > 0 && (
              <button type="button" class="dnb-link" onClick={goThere}>
                {t("Line {line}, column {column}", { line: formatNumber(problem.line), column: formatNumber(problem.column) })}
              </button>
            )}{" "}
            {visible(problem.message, 400)} <span class="dnb-muted">{visible(problem.remedy, 400)}</span>
          </>
        ) : id === null ? (
          t("A JSON object. It goes with every file; a file's own metadata and its .meta.json win key by key.")
        ) : (
          t("A JSON object. It wins key by key over the metadata of all files.")
        )}
      </p>
    </div>
  );
}
