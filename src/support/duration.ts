/** Durations: the waits that users write, read to milliseconds. */
import { InvalidConfigurationError } from "../errors.ts";
import { show } from "./validation.ts";

/**
 * A length of time: the sum of its parts, each 0 or more, such as `{ hours: 1, minutes: 30 }`. A `Temporal.Duration` without
 * years and months is one, too.
 */
export interface Duration {
  /** Weeks of seven days. @default 0 */
  readonly weeks?: number;
  /** Days of 24 hours. @default 0 */
  readonly days?: number;
  /** Hours. @default 0 */
  readonly hours?: number;
  /** Minutes. @default 0 */
  readonly minutes?: number;
  /** Seconds. @default 0 */
  readonly seconds?: number;
  /** Milliseconds. @default 0 */
  readonly milliseconds?: number;
}

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ["weeks", 604_800_000],
  ["days", 86_400_000],
  ["hours", 3_600_000],
  ["minutes", 60_000],
  ["seconds", 1000],
  ["milliseconds", 1],
]);

/** Parts that only a `Temporal.Duration` has. The short ones are left out; the long ones have no fixed length. */
const SHORT_PARTS = ["microseconds", "nanoseconds"];
const LONG_PARTS = ["years", "months"];

/**
 * Reads a duration.
 *
 * @param what the owner of the value, for the message, such as `Option "wait" of set()`
 * @returns milliseconds, from 0 up
 * @throws {InvalidConfigurationError} if it is not a duration, or a negative one
 */
export function durationToMs(what: string, value: unknown): number {
  const duration = value as Duration;
  if (typeof value !== "object" || value === null) throw invalidDuration(what, value);
  let totalMs = 0;
  for (const [unit, unitMs] of UNIT_MS) totalMs += partOf(what, duration, unit) * unitMs;
  for (const unit of LONG_PARTS) {
    if (partOf(what, duration, unit) !== 0) {
      throw new InvalidConfigurationError(
        `${what} must not have ${unit}, which have no fixed length: use days or weeks`,
      );
    }
  }
  // A `Temporal.Duration` has getters, which are not own keys. Anything else must say a unit that is known.
  const unknown = Object.keys(value).find((key) => !UNIT_MS.has(key) && !SHORT_PARTS.includes(key));
  const isTemporal = "nanoseconds" in value;
  if (unknown !== undefined || (!isTemporal && Object.keys(value).length === 0)) throw invalidDuration(what, value);
  return totalMs;
}

function partOf(what: string, duration: Duration, unit: string): number {
  const part: unknown = duration[unit as keyof Duration];
  if (part === undefined) return 0;
  if (typeof part === "number" && part >= 0 && Number.isFinite(part)) return part;
  throw new InvalidConfigurationError(`${what} must have ${unit} of 0 or more, but they are ${show(part)}`);
}

function invalidDuration(what: string, value: unknown): InvalidConfigurationError {
  const given = typeof value === "object" && value !== null && !Array.isArray(value)
    ? `an object with ${Object.keys(value).map(show).join(", ") || "nothing in it"}`
    : show(value);
  return new InvalidConfigurationError(`${what} must be a duration, such as { minutes: 5 }, but it is ${given}`);
}
