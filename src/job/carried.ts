/**
 * Fields of an envelope that a job carries into its next record, and that `perform` rarely reads: they are read from the
 * envelope only when they are asked for.
 */

/** The key of a job's carried fields: a registered symbol, since the job may come from another copy of this library. */
export const CARRIED: unique symbol = Symbol.for("@activejob/kafka.carried") as never;

/** The key of the envelope that a job was made from. */
export const SOURCE: unique symbol = Symbol.for("@activejob/kafka.source") as never;

/** The progress of a job in steps. */
export interface Progress {
  /** The completed steps, in their order. */
  readonly completed: readonly string[];
  /** The step that runs, and its cursor. */
  readonly current?: readonly [step: string, cursor: unknown];
}

/** See the module. */
export interface Carried {
  /** The number of failed runs by declaration of `retryOn`. */
  readonly exceptionExecutions: Readonly<Record<string, number>>;
  /** The locale that Rails wrote; `null` for none. */
  readonly locale: string | null;
  /** The time zone that Rails wrote, by its name there; `null` for none. */
  readonly timezone: string | null;
  /** The progress of a job in steps; `null` for none. */
  readonly continuation: Progress | null;
  /** The number of runs that went on where an earlier one was interrupted. */
  readonly resumptions: number;
}

/** The envelope, as far as these fields go. */
export interface CarriedSource {
  /** All fields as they were read. */
  readonly raw: Readonly<Record<string, unknown>>;
  /** Reads the cursor of a step. */
  readonly codec: { deserialize(json: unknown, field: string): unknown };
}

/** A job, as far as these fields go. */
export interface CarryingJob {
  [CARRIED]: Carried | undefined;
  [SOURCE]: CarriedSource | undefined;
}

const NOTHING: Carried = Object.freeze({
  exceptionExecutions: Object.freeze({}),
  locale: null,
  timezone: null,
  continuation: null,
  resumptions: 0,
});

/** Returns the carried fields of a job. */
export function carriedOf(job: CarryingJob): Carried {
  const source = job[SOURCE];
  return job[CARRIED] ??= source === undefined ? NOTHING : readCarried(source);
}

/** The most counters that are read, and the longest key of one, in characters. */
const MAX_COUNTERS = 100;
const MAX_KEY = 1000;

/** Reads the fields. The envelope is untrusted: what is not well-formed is left out. */
function readCarried({ raw, codec }: CarriedSource): Carried {
  return {
    exceptionExecutions: readCounters(raw.exception_executions),
    locale: nameOrNull(raw.locale),
    timezone: nameOrNull(raw.timezone),
    continuation: readProgress(
      raw.continuation === undefined ? null : codec.deserialize(raw.continuation, "continuation"),
    ),
    resumptions: isCount(raw.resumptions) ? raw.resumptions : 0,
  };
}

function readCounters(value: unknown): Record<string, number> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  const counters = Object.entries(value)
    .filter(([key, count]) => key.length <= MAX_KEY && isCount(count));
  return Object.fromEntries(counters.slice(0, MAX_COUNTERS));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 99_999;
}

function readProgress(value: unknown): Progress | null {
  if (typeof value !== "object" || value === null) return null;
  const { completed, current } = value as { completed?: unknown; current?: unknown };
  if (!Array.isArray(completed) || !completed.every((step) => typeof step === "string")) return null;
  if (current === undefined) return { completed };
  if (!Array.isArray(current) || typeof current[0] !== "string") return null;
  // Rails writes no cursor as null.
  return { completed, current: [current[0], current[1] ?? undefined] };
}

function nameOrNull(value: unknown): string | null {
  return typeof value === "string" && value.length <= MAX_KEY ? value : null;
}
