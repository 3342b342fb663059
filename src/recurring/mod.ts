/**
 * Recurring jobs: `every` says when a job is enqueued again and again, by a cron expression or an interval. It is an entry
 * point of its own, so that a program without recurring jobs never loads the parser of cron expressions.
 *
 * @example
 * ```ts
 * import { activeJobTopic, App, Job } from "@activejob/kafka";
 * import { every } from "@activejob/kafka/recurring";
 * import { assertEquals } from "@std/assert";
 *
 * class NightlyJob extends Job {
 *   perform() {}
 * }
 *
 * await using app = new App({
 *   name: "shop",
 *   broker: "memory:",
 *   jobs: [NightlyJob],
 *   topics: [activeJobTopic("default")],
 *   recurring: [every("0 3 * * *", NightlyJob.of(), { timeZone: "Europe/Prague", id: "nightly" })],
 * });
 * const [nightly] = await app.recurring();
 * assertEquals([nightly!.id, nightly!.lastAtMs], ["nightly", null]);
 * ```
 *
 * @module
 */
export { every, type EveryOptions } from "./every.ts";
export type { MissedTicks, RecurringDefinition } from "./definition.ts";
