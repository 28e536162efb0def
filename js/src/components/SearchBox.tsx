import { useEffect, useRef } from "preact/hooks";
import { useDraft } from "../lib/hooks";

const TYPED_MS = 300;

type Props = { label: string; value: string; busy: boolean; onText: (text: string) => void };

/** A text that is asked for as it is typed. */
export function SearchBox({ label, value, busy, onText }: Props) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const draft = useDraft(value, busy || timer.current !== undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const typed = (next: string, now = false) => {
    draft.type(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(
      () => {
        timer.current = undefined;
        draft.ask(next);
        onText(next.trim());
      },
      now ? 0 : TYPED_MS,
    );
  };
  return (
    <label class="dnb-field">
      <span class="dnb-muted">{label}</span>
      <input
        type="search"
        class="dnb-input"
        value={draft.text}
        onInput={(event) => typed(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") typed(event.currentTarget.value, true);
          if (event.key === "Escape" && draft.text) {
            event.stopPropagation();
            typed("", true);
          }
        }}
      />
    </label>
  );
}
