/** The names of all events as values, so that a listener's event can be checked. The type requires each key of {@linkcode EventMap}. */
import type { EventName } from "./events.ts";

/** Every name, in the order in which {@linkcode EventMap} declares them. */
export const EVENT_NAMES: Readonly<Record<EventName, true>> = Object.freeze({
  "job.enqueued": true,
  "job.enqueue_failed": true,
  "job.performing": true,
  "job.performed": true,
  "job.failed": true,
  "job.orphaned": true,
  "job.revoked": true,
  "job.log": true,
  "record.skipped": true,
  "record.dead_lettered": true,
  "records.expired": true,
  "group.started_at_beginning": true,
  "topic.missing": true,
  "topic.recreated": true,
  "assignment.changed": true,
  "partition.assigned": true,
  "partition.lost": true,
  "partition.leaderless": true,
  "partition.led": true,
  "partition.paused": true,
  "offset.committed": true,
  "membership.changed": true,
  "worker.started": true,
  "worker.quieted": true,
  "worker.stopping": true,
  "worker.stopped": true,
  "broker.log": true,
  "error.occurred": true,
});
