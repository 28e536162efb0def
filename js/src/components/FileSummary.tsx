import type { AnyModel } from "@anywidget/types";
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { fileCount, formatNumber } from "../lib/format";
import { t } from "../lib/i18n";
import { walked, type FilesState } from "../lib/messages_browsers";
import { is } from "../lib/shape";

type Props = { model: AnyModel; state: FilesState; busy: boolean; position: RefObject<HTMLSpanElement | null> };

/** How many files there are, as far as anybody knows, and how far a filtered listing has been read. */
export function FileSummary({ model, state, busy, position }: Props) {
  const [read, setRead] = useState(0);
  useEffect(() => {
    const heard = (message: unknown) => {
      if (is(walked, message)) setRead(message.rows);
    };
    model.on("msg:custom", heard);
    return () => model.off("msg:custom", heard);
  }, [model]);
  useEffect(() => setRead(0), [state.revision]);
  if (state.updated_at === null || !state.extent) return null; // the table says so itself
  const filtered = Boolean(state.query.name || state.query.filter);
  return (
    <p class="dnb-muted dnb-summary">
      <span role="status">
        {state.total === null
          ? t("The platform does not say how many files there are.")
          : filtered
            ? t("{files} match", { files: fileCount(state.total) })
            : fileCount(state.total)}
      </span>
      <span ref={position as RefObject<HTMLSpanElement>} />
      {busy && <span class="dnb-late">{t("Asking the platform…")}</span>}
      {state.query.filter && read > 0 && (
        <span>{t("The platform reads a filtered listing only from its beginning: {rows} rows so far", { rows: formatNumber(read) })}</span>
      )}
    </p>
  );
}
