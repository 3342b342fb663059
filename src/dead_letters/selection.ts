/** Selects dead letters: by class, error and time, or one by one. */
import type { StoredRecord } from "../broker/record.ts";
import { InvalidConfigurationError } from "../errors.ts";
import { type Duration, durationToMs } from "../support/duration.ts";
import { assertPosition, type Position } from "../support/position.ts";
import { boolean, callback, checkOptions, type Checks, integerFrom, nonEmptyString } from "../support/validation.ts";
import { type DeadLetter, errorClassOf, jobClassOf } from "./letter.ts";

/** Selects dead letters. A letter must match each part that is given. */
export interface DeadLetterFilter {
  /** The name of the job's class on the wire, such as `"WelcomeJob"`. @default any class, also none */
  readonly jobClass?: string;
  /** The class of the last error, such as `"TypeError"`. @default any error */
  readonly errorClass?: string;
  /** The earliest time at which it was written: a `Date`, or how long ago: `{ hours: 2 }`. @default any time */
  readonly since?: Date | Duration;
}

/** A page of dead letters. */
export interface DeadLetterListOptions extends DeadLetterFilter {
  /** The most letters to return. @default 50 */
  readonly limit?: number;
  /** Whether only letters are listed that were neither requeued nor dismissed. @default false */
  readonly unhandled?: boolean;
  /** The letter after which the page begins: the last one of the page before. @default the newest letter */
  readonly after?: Position & Pick<DeadLetter, "deadLetteredAt">;
  /**
   * Called after each read, with the number of letters that were read, and of those that there are: a filter may read many.
   * @default not called
   */
  readonly onProgress?: (progress: { readonly read: number; readonly total: number }) => void;
  /**
   * Called for each topic with partitions that cannot be read now, such as those without a leader, with a sentence about it:
   * their letters are left out. @default the call waits for them some seconds, and fails
   */
  readonly onPartial?: (problem: string) => void;
}

/** Dead letters to handle: those that match a filter with at least one part, some positions, or all. */
export interface DeadLetterSelection extends DeadLetterFilter {
  /** The letter, or the letters; also those that `list` returns. Without any other part. @default by the filter */
  readonly at?: Position | readonly Position[];
  /** All of them. Without any other part. @default false */
  readonly all?: boolean;
}

/** Returns whether the record of a letter is selected. */
export type IsSelected = (record: StoredRecord) => boolean;

const isTime = (value: unknown) => value instanceof Date ? invalidDate(value) : null;
const FILTER: Checks<DeadLetterFilter> = { jobClass: nonEmptyString, errorClass: nonEmptyString, since: isTime };
const LIST: Checks<DeadLetterListOptions> = {
  ...FILTER,
  limit: integerFrom(1),
  unhandled: boolean,
  after: () => null,
  onProgress: callback,
  onPartial: callback,
};
const SELECTION: Checks<DeadLetterSelection> = {
  ...FILTER,
  at: () => null,
  all: (value) => value === true ? null : "true, or absent",
};

/** Checks the options of a page. */
export function checkListOptions(caller: string, options: DeadLetterListOptions): void {
  checkOptions(caller, options, LIST);
  if (options.after !== undefined) assertPosition(caller, options.after);
}

/**
 * Checks a selection.
 *
 * @returns the positions; `null` where a filter selects
 * @throws {InvalidConfigurationError} if it selects nothing, or in two ways
 */
export function checkSelection(caller: string, selection: DeadLetterSelection): readonly Position[] | null {
  checkOptions(caller, selection, SELECTION);
  const { at, all, jobClass, errorClass, since } = selection;
  const ways = [at, all, jobClass ?? errorClass ?? since].filter((way) => way !== undefined).length;
  if (ways !== 1) {
    throw new InvalidConfigurationError(
      `${caller} needs one selection: "at", "all: true", or a filter ("jobClass", "errorClass", "since")` +
        (ways === 0 ? ", but it is given none" : ", but it is given several"),
    );
  }
  if (at === undefined) return null;
  const positions = Array.isArray(at) ? at as readonly Position[] : [at as Position];
  for (const position of positions) assertPosition(caller, position);
  return positions;
}

/**
 * Returns the function of a filter. It reads of a record what it needs, the cheapest part first.
 *
 * @param maxPayloadBytes a larger value is not parsed: it has no class
 */
export function filterOf(
  { jobClass, errorClass, since }: DeadLetterFilter,
  maxPayloadBytes: number,
): IsSelected {
  const sinceMs = earliestMs(since);
  return (record) =>
    (sinceMs === null || record.timestampMs >= sinceMs) &&
    (errorClass === undefined || errorClassOf(record.headers) === errorClass) &&
    (jobClass === undefined || jobClassOf(record, maxPayloadBytes) === jobClass);
}

/**
 * Returns the earliest time of a filter, in ms since 1970; `null` for none. The time of a record is that of a broker, or of its
 * client: the clock of an App, which a test may move, has no part in it.
 */
export function earliestMs(since: Date | Duration | undefined): number | null {
  if (since === undefined) return null;
  return since instanceof Date ? since.getTime() : Date.now() - durationToMs('Option "since"', since);
}

function invalidDate(date: Date): string | null {
  return Number.isNaN(date.getTime()) ? "a valid Date, or a duration such as { hours: 2 }" : null;
}
