// Numbers, sizes and times as people read them, in the language of the texts.
import { locale as ours, plural } from "./i18n";

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
  const shown = new Intl.NumberFormat(locale, { minimumFractionDigits: 0, maximumFractionDigits: digits }).format(value);
  return `${shown} ${UNITS[unit]}`;
}

export function formatNumber(value: number, locale = ours()): string {
  return new Intl.NumberFormat(locale).format(value);
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
  return new Intl.RelativeTimeFormat(locale, { numeric: count ? "always" : "auto" }).format(count, unit); // zero: "now"
}

export function formatDateTime(iso: string, locale = ours()): string {
  const time = Date.parse(iso);
  if (Number.isNaN(time)) return iso;
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(time);
}

export const fileCount = (count: number): string => plural(count, "{count} file", "{count} files");
