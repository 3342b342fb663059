/** Formats ages for people: `45 s`, `12 min`, `3 h 5 min`, `2 days`. */

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * Formats an age, rounded down: two units at most.
 *
 * @param ms in milliseconds; a negative age, which two clocks may give, counts as 0
 */
export function formatAge(ms: number): string {
  if (ms < SECOND_MS) return ms > 0 ? "under 1 s" : "0 s";
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms >= 2 * DAY_MS) return `${Math.floor(ms / DAY_MS)} days`;
  const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
  return `${Math.floor(ms / HOUR_MS)} h${minutes === 0 ? "" : ` ${minutes} min`}`;
}
