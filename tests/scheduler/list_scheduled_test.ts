/** The list of jobs that wait, from the log: a signal ends its reading. */
import { assertEquals, assertRejects } from "@std/assert";
import type { BrokerAdmin } from "../../src/broker/broker.ts";
import { listScheduled } from "../../src/scheduler/list_scheduled.ts";

const record = (offset: number) => ({ offset, key: `${offset}`, value: null, headers: [], timestampMs: 0 });

Deno.test("a signal ends the reading of a log without an end, and no other partition is read", async () => {
  const ended = new AbortController();
  const over = new Error("the time is over");
  const read: number[] = [];
  const admin: Pick<BrokerAdmin, "committed" | "read"> = {
    committed: (_group, topic) =>
      Promise.resolve([0, 1].map((partition) => ({ topic, partition, offset: null, metadata: "" }))),
    read(_topic, partition, { from, signal }) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      read.push(partition);
      if (read.length === 3) ended.abort(over);
      // Without the signal, the log ends here.
      const high = read.length < 10 ? Infinity : from + 1;
      return Promise.resolve({ records: [record(from)], next: from + 1, low: 0, high, lastStable: high });
    },
  };
  const error = await assertRejects(() => listScheduled(admin, "delayed", "schedulers", { signal: ended.signal }));
  assertEquals([error, read], [over, [0, 0, 0]]);
});
