/**
 * Loads a page within a time limit. When most of the time is over, the broker is asked which partitions cannot be read: one
 * without a leader would otherwise look like a broker that does not respond.
 */
import type { App } from "../../app/app.ts";
import { formatPartition } from "../../support/position.ts";
import { clearTimeout, setTimeout } from "../../support/timers.ts";
import { runWithin, TimeLimitError } from "./time_limit.ts";

/** The part of the time limit after which the broker is asked: with 10 seconds, a status has 4, as on the first page. */
const ASK_AFTER = 0.6;

/** Most reasons of one kind that a page shows. */
const MAX_REASONS = 5;

/**
 * Loads a page.
 *
 * @param load gets a signal that aborts at the end of the time
 * @throws {TimeLimitError} once the time is over, with the reasons that are known by then
 */
export async function loadPage<T>(app: App, limitMs: number, load: (signal: AbortSignal) => Promise<T>): Promise<T> {
  let asked: Promise<readonly string[]> | undefined;
  const timeoutMs = Math.max(1, Math.floor(limitMs * (1 - ASK_AFTER)));
  const timer = setTimeout(() => asked = listReasons(app, timeoutMs), limitMs - timeoutMs);
  try {
    return await runWithin(limitMs, load);
  } catch (error) {
    throw error instanceof TimeLimitError ? new TimeLimitError(limitMs, await asked) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Lists what the status of the App says of partitions that cannot be read. It never rejects. */
async function listReasons(app: App, timeoutMs: number): Promise<readonly string[]> {
  try {
    const { topics, notes } = await app.status({ timeoutMs, workers: Promise.resolve([]) });
    // Nothing is known of any topic: the broker does not respond.
    if (topics.every(({ partitions }) => partitions.length === 0)) return [];
    const unread = topics.flatMap(({ topic, partitions }) =>
      partitions.filter(({ high }) => high === null).map(({ partition, reason }) =>
        `${formatPartition({ topic, partition })} cannot be read: ${reason}`
      )
    );
    const more = unread.length - MAX_REASONS;
    if (more > 0) unread.splice(MAX_REASONS, more, `Neither can ${more} more partitions`);
    return [...unread, ...notes.slice(0, MAX_REASONS).map((note) => note.replace(/\.$/, ""))];
  } catch {
    return [];
  }
}
