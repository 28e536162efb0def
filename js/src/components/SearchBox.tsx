import { useEffect, useRef, useState } from "preact/hooks";

const TYPED_MS = 300;

/** A text that is asked for as it is typed. */
export function SearchBox({ label, value, onText }: { label: string; value: string; onText: (text: string) => void }) {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const last = useRef(value);
  useEffect(() => {
    // Somebody else changed it: another view, or the filter was refused.
    if (value !== last.current) setText((last.current = value));
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const typed = (next: string, now = false) => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onText((last.current = next.trim())), now ? 0 : TYPED_MS);
  };
  return (
    <label class="dnb-field">
      <span class="dnb-muted">{label}</span>
      <input
        type="search"
        class="dnb-input"
        value={text}
        onInput={(event) => typed(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") typed(event.currentTarget.value, true);
          if (event.key === "Escape" && text) {
            event.stopPropagation();
            typed("", true);
          }
        }}
      />
    </label>
  );
}
