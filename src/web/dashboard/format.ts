/** Formats values for the pages: numbers, ages, and strings of any length. Pure. */
import { formatAge } from "../../support/age.ts";

export { formatAge };
export { countOf, formatCount } from "../../support/count.ts";

const SHORT_MS = 10_000;

/** Formats a short length of time, such as that of a running job: `"0.4 s"`; from 10 s on as `formatAge`. */
export function formatRunTime(ms: number): string {
  return ms < SHORT_MS ? `${Math.max(0, Math.round(ms / 100) / 10)} s` : formatAge(ms);
}

/** Formats a part of a whole in percent: `"0 %"`, `"0.4 %"`, `"12 %"`; `null` where the whole is 0. */
export function formatPercent(part: number, whole: number): string | null {
  if (whole === 0) return null;
  const percent = (part / whole) * 100;
  if (percent > 0 && percent < 0.1) return "< 0.1 %";
  return `${percent < 10 ? Math.round(percent * 10) / 10 : Math.round(percent)} %`;
}

/** Formats a size: `"0 B"`, `"1.5 KiB"`, `"2 MiB"`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const [size, unit] = bytes < 1024 * 1024 ? [bytes / 1024, "KiB"] : [bytes / 1024 / 1024, "MiB"];
  return `${size < 10 ? Math.round(size * 10) / 10 : Math.round(size)} ${unit}`;
}

/**
 * Cuts a string from a record. The template escapes it.
 *
 * @param maxLength in UTF-16 units; a longer string is cut, and ends in `…`
 */
export function clip(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength).toWellFormed()}…`;
}
