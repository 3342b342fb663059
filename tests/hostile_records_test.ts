/**
 * The readers of the framework's own topics, over records that any client may write. Each reader gets sound records among
 * hostile ones, and must find exactly them.
 */
import { assertEquals } from "@std/assert";
import { Job } from "../mod.ts";
import type { BrokerAdmin } from "../src/broker/broker.ts";
import { readForward } from "../src/broker/read_forward.ts";
import type { NewRecord, NewStoredRecord } from "../src/broker/record.ts";
import { pauseRecord } from "../src/control/record.ts";
import { readControl } from "../src/control/read_control.ts";
import { ControlState } from "../src/control/state.ts";
import { markerRecord } from "../src/dead_letters/marker.ts";
import { readMarkers } from "../src/dead_letters/marker_topic.ts";
import { scheduleRecord } from "../src/dispatch/schedule.ts";
import { every } from "../src/recurring/mod.ts";
import { listWorkers } from "../src/reports/list_workers.ts";
import { reportRecord } from "../src/reports/report.ts";
import { listScheduled } from "../src/scheduler/list_scheduled.ts";
import { findJob } from "../src/scheduler/recurring/find_job.ts";
import { TickReader } from "../src/scheduler/recurring/tick_reader.ts";
import { encodeTick, scheduleIdOf } from "../src/scheduler/recurring/tick_record.ts";
import { countDelayed } from "../src/status/delayed_counts.ts";
import { ManualClock } from "./support/manual_clock.ts";
import { adminOf, hostileRecords } from "./support/hostile_records.ts";
import { PartitionUnderTest } from "./support/scheduled_partition.ts";
import { until } from "./support/until.ts";

const NOW_MS = Date.UTC(2026, 11, 1);
const { signal } = new AbortController();

class NoteJob extends Job {
  perform() {}
}

interface Reader {
  /** The records that it must find. */
  readonly sound: readonly NewRecord[];
  readonly read: (admin: ReturnType<typeof adminOf>) => Promise<unknown>;
  readonly expected: unknown;
}

const due = { dueAtMs: NOW_MS + 1, targetTopic: "target" };
const schedule = scheduleRecord({ value: '{"job_class":"NoteJob"}' }, { jobId: "sound", ...due });
const [definition] = [every({ hours: 1 }, NoteJob.of(), { id: "note" })];
const tick = { tickAtMs: NOW_MS + 3_600_000, definition: "", last: null, ends: null, cancelled: [] };
const tickRecord = scheduleRecord({ value: "{}" }, {
  jobId: scheduleIdOf("note"),
  ...due,
  recurring: encodeTick(tick),
});
const pause = { by: "ann", why: null, atMs: NOW_MS };
const position = { topic: "dead", partition: 0, offset: 7 };
const handling = { action: "requeued", by: "ann", at: new Date(NOW_MS) } as const;
const identity = { id: "worker", host: "h", pid: 7, version: "1", runtime: "Deno 2", startedAtMs: NOW_MS };
const status = { state: "running", failure: null, concurrency: 1, groups: [], scheduler: null } as const;

/** Jobs that the hostile records schedule in a valid form do not count. */
const isSound = ({ jobId }: { readonly jobId: string }) => jobId === "sound";

const READERS: Readonly<Record<string, Reader>> = {
  "the list of delayed jobs": {
    sound: [schedule],
    read: async (admin) => {
      const jobs = await listScheduled(admin, "delayed", "schedulers", { limit: 10_000 });
      // Each time is one that a page and a command can show.
      for (const { scheduledAt } of jobs) scheduledAt.toISOString();
      return jobs.filter(isSound).map(({ jobClass }) => jobClass);
    },
    expected: ["NoteJob"],
  },
  "the counts of delayed jobs": {
    sound: [schedule],
    read: async (admin) => {
      const budget = [{ topic: "delayed", partition: 0, from: 0 }];
      return (await countDelayed(admin, budget, NOW_MS, signal)).byTopic.get("target")?.count;
    },
    expected: 1,
  },
  "the list of recurring jobs": {
    sound: [tickRecord],
    read: async (admin) =>
      (await new TickReader("delayed", "schedulers", [definition!]).read(admin, NOW_MS)).get(definition!.id)?.tickAtMs,
    expected: tick.tickAtMs,
  },
  "the search for a job": {
    sound: [{ key: null, value: '{"job_id":"sound"}' }],
    read: async (admin) => (await findJob(admin, "jobs", "sound", { from: {}, signal }))?.topic,
    expected: "jobs",
  },
  "the reader of orders": {
    sound: [pauseRecord("jobs", null, pause)],
    read: async (admin) => {
      const state = new ControlState((topic) => topic === "jobs");
      await readControl(admin, "control", state, { from: 0, nowMs: () => NOW_MS });
      return state.pauseOf("jobs", 0)?.by;
    },
    expected: "ann",
  },
  "the list of workers": {
    sound: [reportRecord(identity, status, null)],
    read: async (admin) =>
      (await listWorkers({ admin, topic: "workers", nowMs: NOW_MS, skipCommand: () => "" })).map(({ id }) => id),
    expected: ["worker"],
  },
  "the reader of markers": {
    sound: [markerRecord({ position, handling })],
    read: async (admin) => (await readMarkers(admin, "dead", [{ partition: 0, low: 0, high: 10 }])).find(position),
    expected: handling,
  },
  "the scheduler": {
    sound: [schedule],
    read: async (admin) => await releasedBy(admin),
    expected: ["sound"],
  },
};

/** Returns the sound jobs that a scheduler releases. */
async function releasedBy(admin: Pick<BrokerAdmin, "read">): Promise<string[]> {
  const clock = new ManualClock();
  clock.advance(NOW_MS + 1 - clock.nowMs());
  await using under = await PartitionUnderTest.open(clock);
  const released = under.events("job.released");
  await until(() => under.partition.scheduleStatus().isReady, () => "the partition to be ready");
  for await (const records of readForward(admin, { topic: "delayed", partition: 0 }, { from: 0 })) {
    const next = records.at(-1)!.offset + 1;
    under.partition.add({ records, next, highWatermark: next });
  }
  await until(() => released.length > 0, () => "a job to be released");
  return released.map(({ jobId }) => jobId);
}

function stored({ key = null, value, headers = [] }: NewRecord): NewStoredRecord {
  return { key, value, headers, timestampMs: NOW_MS };
}

for (const [name, { sound, read, expected }] of Object.entries(READERS)) {
  Deno.test(`${name} skips hostile records, and finds the sound ones among them`, async () => {
    const keys = ["pause/jobs/0", "cancel/a", "dead/0@7", "worker-2", `${scheduleIdOf("x")}:1`];
    const hostile = hostileRecords(keys);
    const half = Math.floor(hostile.length / 2);
    const records = [...hostile.slice(0, half), ...sound.map(stored), ...hostile.slice(half)];
    assertEquals(await read(adminOf(records)), expected);
  });
}
