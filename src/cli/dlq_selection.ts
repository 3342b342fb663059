/** Reads the words and flags of `dlq` that select dead letters. */
import { parsePosition, type Position } from "../support/position.ts";
import { show } from "../support/validation.ts";
import { type Arguments, UsageError } from "./command.ts";

/** The flags that select, by the key of a filter. */
export interface Filter {
  readonly jobClass?: string;
  readonly errorClass?: string;
  readonly since?: Date;
}

/** The words behind the action: positions, or one topic. */
export interface Words {
  readonly positions: readonly Position[];
  readonly topic: string | undefined;
}

const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
  ["w", 604_800_000],
]);

/**
 * Reads positions, or at most one topic.
 *
 * @throws {UsageError} for both at once, or several topics
 */
export function readWords(action: string, words: readonly string[]): Words {
  const positions = words.map(parsePosition);
  if (words.length > 0 && !positions.includes(null)) return { positions: positions as Position[], topic: undefined };
  if (words.length <= 1) return { positions: [], topic: words[0] };
  throw new UsageError(
    `"dlq ${action}" takes positions such as dead_jobs/0@41, or one topic, but it is given ${
      words.map(show).join(" ")
    }`,
  );
}

/**
 * Reads `--class`, `--error` and `--since`.
 *
 * @param nowMs the time now, in ms since 1970
 * @throws {UsageError} if `--since` is not a time
 */
export function readFilter(args: Arguments, nowMs: number): Filter {
  const jobClass = args.getText("class");
  const errorClass = args.getText("error");
  const since = args.getText("since");
  return {
    ...(jobClass === undefined ? {} : { jobClass }),
    ...(errorClass === undefined ? {} : { errorClass }),
    ...(since === undefined ? {} : { since: readSince(since, nowMs) }),
  };
}

function readSince(text: string, nowMs: number): Date {
  const [, count, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  const isDate = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text);
  const timeMs = unit !== undefined
    ? nowMs - Number(count) * UNITS_MS.get(unit)!
    : isDate
    ? new Date(text).getTime()
    : NaN;
  const time = new Date(timeMs);
  if (!Number.isNaN(time.getTime())) return time;
  throw new UsageError(
    `Option "--since" must be a time such as 30m, 2h, 7d or 2026-11-27T08:00:00Z, but it is ${show(text)}`,
  );
}
