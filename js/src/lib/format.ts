// Numbers, sizes and times as people read them, in the language of the texts.
import { locale as ours, plural } from "./i18n";

// Making one of Intl's formatters costs more than a hundred uses of it, and a table scrolls through thousands.
const made = new Map<string, unknown>();
function cached<F>(key: string, make: () => F): F {
  if (!made.has(key)) made.set(key, make());
  return made.get(key) as F;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Decimal units, as the platform's limits and operating systems count. */
export function formatBytes(bytes: number, locale = ours()): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  const options = { minimumFractionDigits: 0, maximumFractionDigits: digits };
  const shown = cached(`${locale} ${digits}`, () => new Intl.NumberFormat(locale, options)).format(value);
  return `${shown} ${UNITS[unit]}`;
}

const GIB = 2 ** 30;

/** A limit as it is written down: whole GiB, else as any size. */
export const formatLimit = (bytes: number): string => (bytes % GIB === 0 ? `${formatNumber(bytes / GIB)} GiB` : formatBytes(bytes));

export function formatNumber(value: number, locale = ours()): string {
  return cached(locale, () => new Intl.NumberFormat(locale)).format(value);
}

/** `0:07`, `12:30`, `1:02:03`. */
export function formatElapsed(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** `45 sec`, `19 min`, `2 hr`: how long about, in the largest unit that says enough. */
export function formatDuration(seconds: number, locale = ours()): string {
  const [unit, size]: [string, number] = seconds < 90 ? ["second", 1] : seconds < 5400 ? ["minute", 60] : ["hour", 3600];
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short" }).format(Math.round(seconds / size));
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** `in 3 hours`, `12 seconds ago`, `now`: the largest unit that fits. */
export function formatRelative(iso: string, now: number, locale = ours()): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  if (Number.isNaN(seconds)) return iso;
  const [unit, size] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  const count = Math.round(seconds / size);
  const numeric = count ? "always" : "auto"; // zero: "now"
  return cached(`${locale} ${numeric}`, () => new Intl.RelativeTimeFormat(locale, { numeric })).format(count, unit);
}

export function formatDateTime(iso: string, locale = ours()): string {
  const time = Date.parse(iso);
  if (Number.isNaN(time)) return iso;
  const options = { dateStyle: "medium", timeStyle: "short" } as const;
  return cached(`${locale} time`, () => new Intl.DateTimeFormat(locale, options)).format(time);
}

export const fileCount = (count: number): string => plural(count, "{count} file", "{count} files");
