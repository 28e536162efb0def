/** A native progress bar; without a value while nobody knows how much there is. */
export function Bar({ value, label, tone = "" }: { value: number | null; label: string; tone?: string }) {
  return <progress class={`dnb-bar ${tone && `dnb-${tone}`}`} max={1} {...(value === null ? {} : { value })} aria-label={label} />;
}
