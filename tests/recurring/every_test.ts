/** `every`: the times of schedules, and everything that is refused when a definition or its App is made. */
import { activeJobTopic, App, type AppOptions, InvalidConfigurationError, Job } from "@activejob/kafka";
import { every } from "@activejob/kafka/recurring";
import { assertEquals, assertThrows } from "@std/assert";

class SyncJob extends Job {
  perform(_shop?: unknown) {}
}
class OtherJob extends Job {
  perform() {}
}

/** Returns the next ticks after a time. */
function ticks(schedule: Parameters<typeof every>[0], after: string, count: number, timeZone?: string): string[] {
  const { next } = every(schedule, SyncJob.of(), timeZone === undefined ? {} : { timeZone });
  const found: string[] = [];
  for (let atMs = next(Date.parse(after)); found.length < count; atMs = next(atMs)) {
    found.push(new Date(atMs).toISOString().slice(0, 16));
  }
  return found;
}

Deno.test("an interval is counted from 1970, whenever a worker starts", () => {
  assertEquals(ticks({ hours: 6 }, "2026-12-01T07:13:00Z", 3), [
    "2026-12-01T12:00",
    "2026-12-01T18:00",
    "2026-12-02T00:00",
  ]);
  assertEquals(ticks({ minutes: 90 }, "2026-12-01T12:00:00Z", 1), ["2026-12-01T13:30"]);
  const { schedule, timeZone, id } = every({ hours: 1, minutes: 30, milliseconds: 5 }, SyncJob.of());
  assertEquals([schedule, timeZone, id], ["every 1 hour 30 minutes 5 ms", null, "SyncJob"]);
});

Deno.test("a time that does not exist when summer time begins is the jump", () => {
  const prague = (schedule: string, count: number) => ticks(schedule, "2027-03-27T12:00:00Z", count, "Europe/Prague");
  assertEquals(prague("30 2 * * *", 2), ["2027-03-28T01:00", "2027-03-29T00:30"]);
  assertEquals(prague("0 3 * * *", 2), ["2027-03-28T01:00", "2027-03-29T01:00"]);
  assertEquals(prague("*/20 2 * * *", 2), ["2027-03-28T01:00", "2027-03-29T00:00"]);
  assertEquals(prague("30 1-3 * * *", 3), ["2027-03-28T00:30", "2027-03-28T01:00", "2027-03-28T01:30"]);
  const lordHowe = ticks("15 2 * * *", "2026-10-02T16:00:00Z", 2, "Australia/Lord_Howe"); // the jump is half an hour
  assertEquals(lordHowe, ["2026-10-03T15:30", "2026-10-04T15:15"]);
});

Deno.test("a time that is there twice when summer time ends is once, except for the hour *", () => {
  const prague = (schedule: string, after: string, count: number) => ticks(schedule, after, count, "Europe/Prague");
  assertEquals(prague("30 2 * * *", "2027-10-30T12:00:00Z", 2), ["2027-10-31T00:30", "2027-11-01T01:30"]);
  assertEquals(prague("0 1-3 * * *", "2027-10-30T12:00:00Z", 3), [
    "2027-10-30T23:00",
    "2027-10-31T00:00",
    "2027-10-31T02:00",
  ]);
  assertEquals(prague("*/30 2 * * *", "2027-10-31T00:00:00Z", 2), ["2027-10-31T00:30", "2027-11-01T01:00"]);
  assertEquals(prague("30 2 * * *", "2027-10-31T01:10:00Z", 1), ["2027-11-01T01:30"]);
  assertEquals(prague("@hourly", "2027-10-31T00:00:00Z", 2), ["2027-10-31T01:00", "2027-10-31T02:00"]);
  assertEquals(prague("30 * * * *", "2027-10-31T00:00:00Z", 3), [
    "2027-10-31T00:30",
    "2027-10-31T01:30",
    "2027-10-31T02:30",
  ]);
});

Deno.test("a cron expression has seconds, names, nicknames and the last day of a month", () => {
  assertEquals(every(" 0  3 * *\tMON-FRI ", SyncJob.of()).schedule, "0 3 * * MON-FRI");
  assertEquals(new Date(every("*/10 * * * * *", SyncJob.of()).next(1)).getTime(), 10_000);
  assertEquals(ticks("@daily", "2026-12-01T07:00:00Z", 1), ["2026-12-02T00:00"]);
  assertEquals(ticks("0 0 L * *", "2027-02-01T07:00:00Z", 1), ["2027-02-28T00:00"]);
});

const REFUSED: readonly [message: string, make: () => unknown][] = [
  ["has five fields", () => every("* * * *", SyncJob.of())],
  ["has five fields", () => every("", SyncJob.of())],
  ["has five fields", () => every("2026-01-01T00:00:00", SyncJob.of())],
  ["has five fields", () => every("0 0 1 1 * 2027 2028", SyncJob.of())],
  ["has five fields", () => every(`${"1,".repeat(200)}1 * * * *`, SyncJob.of())],
  ["Invalid value for minute: 61", () => every("61 * * * *", SyncJob.of())],
  ["illegal stepping: 0", () => every("*/0 * * * *", SyncJob.of())],
  ["no time at all", () => every("0 0 31 2 *", SyncJob.of())],
  ["@reboot", () => every("@reboot", SyncJob.of())],
  ['did you mean "Europe/Prague"?', () => every("0 3 * * *", SyncJob.of(), { timeZone: "Europe/Pragu" })],
  ["must be a time zone", () => every("0 3 * * *", SyncJob.of(), { timeZone: 3 as never })],
  ["an interval is the same in every time zone", () => every({ hours: 1 }, SyncJob.of(), { timeZone: "UTC" })],
  ["a second at least", () => every({ milliseconds: 999 }, SyncJob.of())],
  ["must be a duration", () => every(5 as never, SyncJob.of())],
  ["must be a duration", () => every(null as never, SyncJob.of())],
  ["every() needs a job", () => every("0 3 * * *", SyncJob as never)],
  ["without a wait", () => every("0 3 * * *", SyncJob.of().set({ waitUntil: new Date(1) }))],
  ['did you mean "overlap"?', () => every("0 3 * * *", SyncJob.of(), { overlp: true } as never)],
  ['one of "skip", "once"', () => every("0 3 * * *", SyncJob.of(), { missed: "all" as never })],
  ["1 to 100 letters", () => every("0 3 * * *", SyncJob.of(), { id: "a b" })],
  ["is not a recurring job", () => app({ recurring: [{ id: "a" } as never] })],
  ["is not a recurring job", () => app({ recurring: [null as never] })],
  ["must be an array", () => app({ recurring: every("@daily", SyncJob.of()) as never })],
  ['Two recurring jobs have the id "SyncJob"', () => {
    return app({ recurring: [every("@daily", SyncJob.of()), every("@hourly", SyncJob.of())] });
  }],
  ['has the class "OtherJob", which is not in "jobs" (declared: "SyncJob")', () => {
    return app({ recurring: [every("@daily", OtherJob.of())] });
  }],
  ['Recurring job "SyncJob": Cannot serialize arguments[0]', () => {
    return app({ recurring: [every("@daily", SyncJob.of(() => {}))] });
  }],
  ['No topic declares the queue "mail"', () => {
    return app({ recurring: [every("@daily", SyncJob.set({ queue: "mail" }).of())] });
  }],
];

function app(options: Partial<AppOptions>): App {
  const topics = [activeJobTopic("default")];
  return new App({ name: "shop", broker: "memory:", jobs: [SyncJob], topics, logger: false, ...options });
}

Deno.test("a wrong recurring job is refused when it is made, or when its App is", () => {
  for (const [message, make] of REFUSED) assertThrows(make, InvalidConfigurationError, message);
});
