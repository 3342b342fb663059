/** Groups dead letters by the class of the job and the error, so that a cause is one line. Pure. */
import type { DeadLetter } from "../../dead_letters/letter.ts";
import { LimitedMap } from "../../support/limited_map.ts";
import { normalizeMessage } from "./error_message.ts";

/** A filter of dead letters on a page. Absent parts match everything. */
export interface LetterFilter {
  /** The full name of a dead letter topic. */
  readonly topic?: string;
  /** The class of the job; `null` for letters whose class cannot be read. */
  readonly jobClass?: string | null;
  /** The class of the error; `null` for letters without one. */
  readonly errorClass?: string | null;
  /** The normalized message. */
  readonly message?: string;
  /** Whether letters that were handled match as well. */
  readonly withHandled?: boolean;
}

/** Dead letters of one class of jobs with the same error, apart from numbers, ids and quoted strings. */
export interface LetterGroup {
  /** The class of the job; `null` where it cannot be read. */
  readonly jobClass: string | null;
  /** The class of the error; `null` where a letter has none. */
  readonly errorClass: string | null;
  /** The normalized message. */
  readonly message: string;
  /** The number of letters. */
  readonly total: number;
  /** The number of those that were not handled. */
  readonly unhandled: number;
  /** The time of the oldest letter, in ms since 1970; `null` if no record has a valid time. */
  readonly firstAtMs: number | null;
  /** The time of the newest letter, in ms since 1970. */
  readonly lastAtMs: number | null;
  /** The topics that the jobs came from, in alphabetical order; at most 5. */
  readonly sources: readonly string[];
}

const MAX_SOURCES = 5;

/** Groups letters, the newest group first. Letters come newest first. */
export function groupLetters(letters: readonly DeadLetter[]): LetterGroup[] {
  const groups = new Map<string, DeadLetter[]>();
  for (const letter of letters) {
    const key = JSON.stringify([letter.jobClass, letter.errorClass, messageOf(letter)]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [letter]);
    else group.push(letter);
  }
  return Array.from(groups.values(), toGroup).sort((a, b) => (b.lastAtMs ?? 0) - (a.lastAtMs ?? 0));
}

/** Returns the function of a filter. */
export function matcherOf(filter: LetterFilter): (letter: DeadLetter) => boolean {
  const { topic, jobClass, errorClass, message, withHandled = false } = filter;
  return (letter) =>
    (withHandled || letter.handled === null) &&
    (topic === undefined || letter.topic === topic) &&
    (jobClass === undefined || letter.jobClass === jobClass) &&
    (errorClass === undefined || letter.errorClass === errorClass) &&
    (message === undefined || messageOf(letter) === message);
}

/** Messages repeat: the last ones are kept with their normalized form, so that a page of 10,000 letters stays fast. */
const normalized = new LimitedMap<string>({ entries: 12_000 });
const MAX_KEPT_LENGTH = 300;

function messageOf({ errorMessage }: DeadLetter): string {
  if (errorMessage === null) return "";
  const known = normalized.entries.get(errorMessage);
  if (known !== undefined) return known;
  const message = normalizeMessage(errorMessage);
  if (errorMessage.length <= MAX_KEPT_LENGTH) normalized.set(errorMessage, message);
  return message;
}

function toGroup(letters: readonly DeadLetter[]): LetterGroup {
  const times = letters.flatMap(({ deadLetteredAt }) => deadLetteredAt === null ? [] : deadLetteredAt.getTime());
  const sources = new Set(letters.flatMap(({ source }) => source === null ? [] : source.topic));
  const [first] = letters;
  return {
    jobClass: first!.jobClass,
    errorClass: first!.errorClass,
    message: messageOf(first!),
    total: letters.length,
    unhandled: letters.filter(({ handled }) => handled === null).length,
    firstAtMs: times.reduce<number | null>((least, time) => least === null || time < least ? time : least, null),
    lastAtMs: times.reduce<number | null>((most, time) => most === null || time > most ? time : most, null),
    sources: [...sources].sort().slice(0, MAX_SOURCES),
  };
}
