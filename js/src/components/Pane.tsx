import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../lib/i18n";

type Props = { title: string; close: () => void; tone?: string; children: ComponentChildren };

/** What opens below a table: it gets the keyboard, and gives it back when it is closed. */
export function Pane({ title, close, tone = "", children }: Props) {
  const pane = useRef<HTMLElement>(null);
  useEffect(() => (pane.current?.querySelector<HTMLElement>("[data-first]") ?? pane.current)?.focus(), []);
  return (
    <section ref={pane} class={`dnb-pane ${tone}`} tabIndex={-1} aria-label={title}>
      <div class="dnb-head">
        <p class="dnb-strong dnb-titles">
          <bdi>{title}</bdi>
        </p>
        <button type="button" class="dnb-quiet" onClick={close}>
          {t("Hide")}
        </button>
      </div>
      {children}
    </section>
  );
}
