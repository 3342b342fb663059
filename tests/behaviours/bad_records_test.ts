/** Bad input beside the arguments: counts, times, attributes, and the batches of the log. */
import { assert, assertEquals } from "@std/assert";
import { activeJobTopic, currentAttributes, Job } from "../../mod.ts";
import type { Ownership } from "../../src/broker/broker.ts";
import { assertPerformed, assertPoison, echo, EchoJob, echoProcess } from "../support/behaviours/bad_records.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { headersAsStrings, until, type World } from "../support/behaviours/world.ts";
import { abortTransaction } from "../support/behaviours/faults.ts";
import { produceGzip, produceRaw } from "../support/behaviours/raw_kafka.ts";
import { passAll } from "../support/skip.ts";

behaviour(
  "bad input 14: invalid executions in an envelope, and invalid attempts in a commit's metadata, count as 0",
  async (world) => {
    const seen: [number, number][] = [];
    class CountJob extends Job {
      perform(n: number) {
        seen[n] = [this.executions, this.attempt];
      }
    }
    const metadata = [
      ...["v1;a=0:-1", "v1;a=0:1e99", "v1;a=0:0x10", "v1;a=0: 5 ", "v1;a=0:", "v1;a=0:123456", "v1;a=-1:3", "v1;a=:3"],
      ...[
        "v1;a=0:3:3",
        "v1",
        "v2;a=0:3",
        "a=0:3",
        "",
        "forged",
        "v1;f=0-9999999999999999",
        "v1;f=5-0,x-y",
        "\u0000;a=0:3",
      ],
    ];
    const executions = ["-1", "1e99", '"0x10"', '" 5 "', '""', "null", "[]", "{}", "1.5", "123456", "true"];
    const rows = Math.max(metadata.length, executions.length) + 1;
    const topics = [activeJobTopic("default", { partitions: rows })];
    const process = await world.process({ jobs: [CountJob], topics });
    // Only the last row is valid.
    const forged = Array.from({ length: rows }, (_, n) => n === rows - 1 ? "v1;a=0:2" : metadata[n] ?? "");
    await commitAs(world, rows, forged);
    for (let n = 0; n < rows; n++) {
      const count = n === rows - 1 ? "4" : executions[n] ?? "0";
      await world.append([{
        partition: n,
        value: `{"job_class":"CountJob","arguments":[${n}],"executions":${count}}`,
      }]);
    }
    await process.start();
    await process.untilEvents("job.performed", rows);
    assertEquals(seen, [...Array.from({ length: rows - 1 }, () => [1, 1] as [number, number]), [4 + 3, 3]]);
  },
);

/** Commits offset 0 of each partition with this metadata, as another member of the group. */
async function commitAs(world: World, partitions: number, metadata: readonly string[]): Promise<void> {
  const owned = new Map<number, Ownership>();
  const consumer = world.client.consume(
    { group: world.group, topics: [world.topic()], sessionTimeoutMs: 6000, maxFetchBytes: 1000 },
    {
      assigned: (added) => added.forEach((ownership) => owned.set(ownership.partition, ownership)),
      records() {},
      releasing: () => [],
      lost() {},
      expired() {},
      membership() {},
      failed() {},
    },
  );
  await until(() => owned.size === partitions, () => `${partitions} partitions, but there were ${owned.size}`);
  const marks = metadata.map((text, partition) => ({ ownership: owned.get(partition)!, next: 0, metadata: text }));
  let outcomes: readonly string[] = [];
  await until(
    async () => (outcomes = await consumer.commit(marks)).every((outcome) => outcome === "committed"),
    () => `all to be committed, but they were ${outcomes}`,
  );
  await consumer.close(5000);
}

behaviour(
  "bad input 15: a job that is due at an invalid time is dead-lettered, one due in the future waits, and one due in the past runs now",
  async (world) => {
    const process = await echoProcess(world);
    const at = (scheduled: unknown) => echo([scheduled], { scheduled_at: scheduled });
    const future = [new Date(Date.now() + 3_600_000).toISOString(), "9999-12-31T23:59:59.999999999Z"];
    const none = [
      "+275761-01-01T00:00:00Z",
      "NaN",
      NaN.toString(),
      1e99,
      1,
      "",
      "tomorrow",
      "2024-13-45T99:99:99Z",
      {},
      [],
    ];
    const dead = await assertPoison(world, process, none.map(at));
    assertEquals(dead.map(({ errorClass }) => errorClass), none.map(() => "PoisonError"));

    const past = await echoProcess(world);
    await world.append(future.map((each) => ({ value: at(each) })));
    await world.append(
      ["1970-01-01T00:00:00Z", "2024-02-29T12:00:00.123456789Z", null].map((each) => ({ value: at(each) })),
    );
    await past.start();
    await past.untilEvents("job.performed", 3);
    assertEquals((await past.untilEvents("job.scheduled", 2)).map(({ dueAtMs }) => dueAtMs), future.map(Date.parse));
    assertEquals(EchoJob.got.length, 3);
  },
);

behaviour("bad input 17: only declared current attributes of listed classes are set from a record", async (world) => {
  class Own extends currentAttributes<{ id: number; note: string }>("id", "note") {
    static get computed(): string {
      return "computed";
    }
    static method(): string {
      return "method";
    }
  }
  class Unlisted extends currentAttributes<{ id: number }>("id") {}
  const seen: unknown[] = [];
  const own = Object.getOwnPropertyNames(Own).sort();
  class LookJob extends Job {
    perform() {
      seen.push([Own.id, Own.note, Own.computed, Own.method(), typeof Own.run, Own.name, Unlisted.id]);
      assertEquals(Object.getOwnPropertyNames(Own).sort(), own);
      assertEquals((Own as unknown as Record<string, unknown>).undeclared, undefined);
    }
  }
  const process = await echoProcess(world, { jobs: [EchoJob, LookJob], currentAttributes: [Own] });
  const evil = {
    id: 1,
    undeclared: 2,
    run: 3,
    name: "stolen",
    prototype: {},
    constructor: 4,
    computed: 5,
    method: 6,
  };
  const given: unknown[] = [
    { Own: evil, Unlisted: { id: 7 }, Object: { id: 8 }, constructor: { id: 9 } },
    { Own: 5 },
    { Own: null },
    { Own: [1, 2] },
    { Own: "text" },
    [],
    "text",
    17,
    null,
  ];
  const unset = [undefined, undefined, "computed", "method", "function", "Own", undefined];
  await world.append(given.map((each) => ({ value: echo([], { job_class: "LookJob", current_attributes: each }) })));
  await process.start();
  await world.untilCommitted(given.length);
  assertEquals(process.events("job.failed"), []);
  assertEquals(seen, [[1, ...unset.slice(1)], ...given.slice(1).map(() => unset)]);
});

/** One batch of a few KB: a job, a record of 3 MB, another job. */
async function appendBomb(world: World): Promise<void> {
  await produceGzip(world.topic(), [echo(["before"]), new Uint8Array(3_000_000).fill(32), echo(["after"])]);
}

/** A record above it is not unpacked. */
const SMALL_BUDGET = { maxBufferedBytes: 4 * 1024 * 1024, maxPayloadBytes: 500_000 };
const BOMB_ERROR = "The record has 3000009 bytes, but at most 1048576 are unpacked";

behaviour(
  "bad input 18: a record that unpacks to too much is dead-lettered without its value, and those beside it are performed",
  { on: ["kafka"], because: "only Kafka compresses" },
  async (world) => {
    const process = await echoProcess(world, SMALL_BUDGET);
    await appendBomb(world);
    await process.start();
    await world.untilCommitted(3);
    await process.stop();
    assertEquals(EchoJob.got, [["before"], ["after"]]);
    const [letter, ...others] = await world.records("dead");
    assertEquals([letter!.value, others], [null, []]);
    const headers = headersAsStrings(letter!.headers);
    assertEquals([headers["dead-letter-offset"], headers["dead-letter-attempts"]], ["1", "0"]);
    assertEquals(headers["dead-letter-error-message"], BOMB_ERROR);
    assertEquals(process.events("partition.paused"), []);
  },
);

behaviour(
  "bad input 18: without a dead letter topic its partition waits for the skip command, and other partitions go on",
  { on: ["kafka"], because: "only Kafka compresses" },
  async (world) => {
    const topics = [activeJobTopic("default", { partitions: 2 })];
    const process = await world.process({ jobs: [EchoJob], topics, ...SMALL_BUDGET });
    EchoJob.got = [];
    await appendBomb(world);
    await world.append([{ partition: 1, value: echo(["other"]) }]);
    await process.start();
    await process.untilEvents("partition.paused", 1);
    await process.untilEvents("job.performed", 2);
    const { topic, partition, offset, error, remedy, lasting } = process.events("partition.paused")[0]!;
    assertEquals([topic, partition, offset, lasting], [world.topic(), 0, 1, true]);
    assertEquals(error?.message, BOMB_ERROR);
    assert(remedy?.endsWith(` ${topic}/${partition}@${offset}`), String(remedy));
    await world.client.skip(world.group, { topic, partition, offset }, passAll);
    await process.untilEvents("job.performed", 3);
    assertEquals(EchoJob.got.toSorted(), [["after"], ["before"], ["other"]]);
  },
);

behaviour(
  "bad input 18: jobs in each of Kafka's compressions are performed",
  { on: ["kafka"], because: "only Kafka compresses" },
  async (world) => {
    const names = ["gzip", "snappy", "lz4", "zstd"];
    const topics = names.map((name) =>
      // The broker compresses what comes in as the topic's configuration says.
      activeJobTopic(name, { partitions: 1, config: { "compression.type": name } })
    );
    const process = await world.process({ jobs: [EchoJob], topics });
    EchoJob.got = [];
    for (const name of names) await world.append([{ value: echo([name]) }, { value: echo([name]) }], name);
    await process.drain();
    assertEquals(EchoJob.got.flat().toSorted(), names.flatMap((name) => [name, name]).toSorted());
  },
);

behaviour(
  "bad input 19: control records and aborted records are not performed, and the committed offset passes them",
  async (world) => {
    const process = await echoProcess(world);
    const skipped = (count: number) => abortTransaction(world, Array(count).fill(echo(["aborted"])));
    await skipped(2);
    await world.append([{ value: echo([3]) }, { value: "poison" }]);
    await skipped(1);
    await world.append([{ value: echo([7]) }]);
    await skipped(3);
    const { high } = (await world.client.admin.ends(world.topic()))[0]!;
    assertEquals(high, 3 + 2 + 2 + 1 + 4);
    await process.start();
    await world.untilCommitted(high);
    await process.stop();
    assertEquals(EchoJob.got, [[3], [7]]);
    assertEquals(process.events("job.performed").map(({ offset }) => offset), [3, 7]);
    assertEquals((await world.records("dead")).map(({ headers }) => headersAsStrings(headers)["dead-letter-offset"]), [
      "4",
    ]);
  },
);

behaviour(
  "bad input 20: the waiting time of a job enqueued in the future, or in 1970, is unknown, never negative",
  async (world) => {
    const process = await echoProcess(world);
    const now = Date.now();
    const times = [now + 3_600_000, 0, -1, now - 60_000, now].map((ms) => new Date(ms).toISOString());
    await assertPerformed(
      world,
      process,
      [...times, "9999-12-31T23:59:59Z", undefined].map((each) => ({ value: echo([], { enqueued_at: each }) })),
      Array.from({ length: 7 }, () => []),
    );
    const waits = process.events("job.performed").map(({ waitMs }) => waitMs);
    assertEquals([...waits.slice(0, 3), ...waits.slice(5)], [null, null, null, null, null]);
    assert(waits[3]! >= 59_999 && waits[3]! < 120_000, `${waits[3]} ms`);
    assert(waits[4]! >= 0 && waits[4]! < 60_000, `${waits[4]} ms`);
  },
);

behaviour(
  "bad input 20: a record with the timestamp -1, 0 or one in the future is performed or dead-lettered like any other",
  { on: ["kafka"], because: "the other brokers use their own clock" },
  async (world) => {
    const process = await echoProcess(world);
    const timestamps = ["-1", "0", String(Date.now() + 1_800_000)];
    for (const timestamp of timestamps) {
      await produceRaw(world.topic(), [{ value: echo([timestamp]), timestamp }, { value: "poison", timestamp }]);
    }
    await process.start();
    await world.untilCommitted(6);
    assertEquals(EchoJob.got, timestamps.map((timestamp) => [timestamp]));
    assertEquals(process.events("job.performed").map(({ waitMs }) => waitMs), [null, null, null]);
    const dead = (await world.records("dead")).map(({ headers }) => headersAsStrings(headers)["dead-letter-timestamp"]);
    assertEquals(dead, timestamps);
  },
);
