/** Formats numbers of things for people. Pure. */

/** Formats a number with a comma before each third digit: `"1,234,567"`. */
export function formatCount(count: number): string {
  // `toLocaleString` makes a formatter at each call, which took half of the time of a status of 10,000 partitions.
  if (count > -1000 && count < 1000) return String(count);
  return String(count).replace(/\B(?=(?:\d{3})+(?!\d))/g, ",");
}

/** Formats a count with its noun: `"1 job"`, `"1,200 jobs"`. */
export function countOf(count: number, noun: string, plural: string = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}
