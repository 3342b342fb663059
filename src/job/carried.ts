/**
 * Fields of an envelope that a job carries into its next record, and that `perform` rarely reads: they are read from the
 * envelope only when they are asked for.
 */

/** The key of a job's carried fields: a registered symbol, since the job may come from another copy of this library. */
export const CARRIED: unique symbol = Symbol.for("@activejob/kafka.carried") as never;

/** The key of the envelope that a job was made from. */
export const SOURCE: unique symbol = Symbol.for("@activejob/kafka.source") as never;

/** See the module. */
export interface Carried {
  /** The number of failed runs by declaration of `retryOn`. */
  readonly exceptionExecutions: Readonly<Record<string, number>>;
  /** The locale that Rails wrote; `null` for none. */
  readonly locale: string | null;
  /** The time zone that Rails wrote, by its name there; `null` for none. */
  readonly timezone: string | null;
}

/** A job, as far as these fields go. */
export interface CarryingJob {
  [CARRIED]: Carried | undefined;
  [SOURCE]: { readonly raw: Readonly<Record<string, unknown>> } | undefined;
}

const NOTHING: Carried = Object.freeze({ exceptionExecutions: Object.freeze({}), locale: null, timezone: null });

/** Returns the carried fields of a job. */
export function carriedOf(job: CarryingJob): Carried {
  const source = job[SOURCE];
  return job[CARRIED] ??= source === undefined ? NOTHING : readCarried(source.raw);
}

/** The most counters that are read, and the longest key of one, in characters. */
const MAX_COUNTERS = 100;
const MAX_KEY = 1000;

/** Reads the fields. The envelope is untrusted: what is not well-formed is left out. */
function readCarried(raw: Readonly<Record<string, unknown>>): Carried {
  return {
    exceptionExecutions: readCounters(raw.exception_executions),
    locale: nameOrNull(raw.locale),
    timezone: nameOrNull(raw.timezone),
  };
}

function readCounters(value: unknown): Record<string, number> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  const counters = Object.entries(value)
    .filter(([key, count]) => key.length <= MAX_KEY && Number.isSafeInteger(count) && count >= 0 && count <= 99_999);
  return Object.fromEntries(counters.slice(0, MAX_COUNTERS));
}

function nameOrNull(value: unknown): string | null {
  return typeof value === "string" && value.length <= MAX_KEY ? value : null;
}
