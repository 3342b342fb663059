/**
 * Cron expressions. croner computes the times of the wall clock. If a time zone changes its clocks, a time that does not exist
 * is the jump, and one that is there twice is the first of them. croner itself does so only for some expressions.
 * With the hour `*` the instants count instead: every hour that passes has its ticks, and no tick is moved.
 *
 * This is the only file that imports croner. Its version is exact, as a later one may decide those times otherwise.
 */
import { Cron } from "npm:croner@11.0.1";
import { InvalidConfigurationError } from "../errors.ts";
import { findNearest, show } from "../support/validation.ts";
import type { RecurringDefinition } from "./definition.ts";
import { WallClock } from "./time_zone.ts";

const MAX_LENGTH = 200;

/**
 * Reads a cron expression.
 *
 * @throws {InvalidConfigurationError} if it is not one, has no tick at all, or the time zone is unknown
 */
export function readCron(
  expression: string,
  timeZone: string,
): Pick<RecurringDefinition, "schedule" | "timeZone" | "next"> {
  checkTimeZone(timeZone);
  const invalid = (why: string) =>
    new InvalidConfigurationError(`The schedule of every() is ${show(expression)}, but ${why}`);
  const schedule = expression.trim().replace(/\s+/g, " ");
  const fields = schedule.split(" ").length;
  // Of croner's other forms, a date and a year would have a last tick.
  if (expression.length > MAX_LENGTH || (fields !== 5 && fields !== 6 && !/^@[a-z]+$/i.test(schedule))) {
    throw invalid("a cron expression has five fields, six with seconds first, or is a nickname such as @daily");
  }
  const isHourly = /^@hourly$/i.test(schedule) || /^(\*|\?)(\/1)?$/.test(schedule.split(" ").at(fields - 4) ?? "");
  const zone = isHourly ? null : new WallClock(timeZone);
  let cron: Cron;
  try {
    // Paused: it only computes times, and never sets a timer.
    cron = new Cron(schedule, { timezone: zone === null ? timeZone : "UTC", paused: true });
  } catch (error) {
    throw invalid((error as Error).message.replace(/^CronPattern: /, ""));
  }
  const nextRun = (afterMs: number): number => {
    const tick = cron.nextRun(new Date(afterMs));
    if (tick === null) throw invalid("it has no time at all, such as the 31st of February");
    return tick.getTime();
  };
  const next = (afterMs: number): number =>
    zone === null ? nextRun(afterMs) : zone.firstInstant(nextRun(zone.latestWall(afterMs)));
  next(Date.now());
  return { schedule, timeZone, next };
}

function checkTimeZone(timeZone: unknown): void {
  try {
    if (typeof timeZone !== "string" || timeZone === "") throw new RangeError("no name");
    new Intl.DateTimeFormat("en", { timeZone });
  } catch {
    const known = [...Intl.supportedValuesOf("timeZone"), "UTC"];
    const nearest = typeof timeZone === "string" ? findNearest(timeZone, known) : undefined;
    throw new InvalidConfigurationError(
      `Option "timeZone" of every() must be a time zone such as "Europe/Prague", but it is ${show(timeZone)}${
        nearest === undefined ? "" : `; did you mean "${nearest}"?`
      }`,
    );
  }
}
