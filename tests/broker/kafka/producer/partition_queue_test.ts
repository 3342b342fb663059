import { assert, assertEquals } from "@std/assert";
import { AppendCall } from "../../../../src/broker/kafka/producer/append_call.ts";
import { PartitionQueue } from "../../../../src/broker/kafka/producer/partition_queue.ts";
import { Field } from "../../../../src/broker/kafka/batch/layout.ts";

function queueWith(...values: string[]): PartitionQueue {
  const queue = new PartitionQueue({ topic: "t", partition: 0 });
  const call = new AppendCall(values.map((value) => ({ value })), 60_000);
  values.forEach((_, index) => queue.push({ call, index }, 1_700_000_000_000, 90));
  return queue;
}

/** Seals and stamps the head. @returns its producer id, epoch and sequence */
function stamp(queue: PartitionQueue): [producerId: number, epoch: number, sequence: number] {
  queue.head!.bytes.seal("none");
  queue.stampHead();
  const bytes = queue.head!.bytes.sealed!;
  return [
    Number(bytes.readBigInt64BE(Field.producerId)),
    bytes.readInt16BE(Field.producerEpoch),
    bytes.readInt32BE(Field.baseSequence),
  ];
}

Deno.test("PartitionQueue fills batches to their limit, in order", () => {
  const queue = queueWith("0123456789", "0123456789", "0123456789", "x");
  assertEquals(queue.batches.map((batch) => batch.records.map(({ index }) => index)), [[0], [1], [2, 3]]);
});

Deno.test("PartitionQueue advances the sequence by the records that are acknowledged, and wraps it at 2^31", () => {
  const queue = queueWith("a");
  queue.useProducerId(7n);
  assertEquals(stamp(queue), [7, 0, 0]);
  queue.acknowledgeHead();
  const call = new AppendCall([{ value: "b" }], 60_000);
  queue.push({ call, index: 0 }, 0, 1000);
  assertEquals(stamp(queue), [7, 0, 1]);
  // As if 2^31 − 3 records had followed.
  Object.defineProperty(queue.head!.bytes, "count", { value: 2 ** 31 - 2 });
  queue.acknowledgeHead();
  const last = new AppendCall([{ value: "c" }, { value: "d" }], 60_000);
  for (const index of [0, 1]) queue.push({ call: last, index }, 0, 1000);
  assertEquals(stamp(queue), [7, 0, 2 ** 31 - 1]);
  queue.acknowledgeHead();
  queue.push({ call, index: 0 }, 0, 1000);
  assertEquals(stamp(queue), [7, 0, 1]);
});

Deno.test("PartitionQueue never changes the numbers of a batch that has them, unless its epoch rises", () => {
  const queue = queueWith("a");
  queue.useProducerId(7n);
  const first = Uint8Array.from((stamp(queue), queue.head!.bytes.sealed!));
  stamp(queue);
  assertEquals(Uint8Array.from(queue.head!.bytes.sealed!), first);
  queue.raiseEpoch();
  assertEquals(stamp(queue), [7, 1, 0]);
});

Deno.test("PartitionQueue needs another producer id, and not the same again, once its epochs are used up", () => {
  const queue = queueWith("a");
  assert(queue.needsProducerId);
  assert(queue.useProducerId(7n));
  for (let epoch = 1; epoch <= 32_767; epoch++) queue.raiseEpoch();
  assert(!queue.needsProducerId);
  assertEquals(stamp(queue), [7, 32_767, 0]);
  queue.raiseEpoch();
  assert(queue.needsProducerId);
  assert(!queue.useProducerId(7n) && queue.needsProducerId, "Expected the old id to be refused: its epochs were used");
  assert(queue.useProducerId(8n) && !queue.needsProducerId);
  assertEquals(stamp(queue), [8, 0, 0]);
});

Deno.test("PartitionQueue waits longer each time that it loses its leader, and shortly again once it has another one", () => {
  const queue = queueWith("a");
  /** The wait, at least and at most: the clock is read before it begins and after. */
  const waitMs = (): [leastMs: number, mostMs: number] => {
    const beforeMs = performance.now();
    queue.loseLeader();
    return [queue.notBeforeMs - performance.now(), queue.notBeforeMs - beforeMs];
  };
  waitMs();
  waitMs();
  assert(waitMs()[1] > 60, "Expected the third wait to be longer than the longest first one");
  queue.endLeaderWait();
  assertEquals([queue.hasLostLeader, queue.notBeforeMs], [false, 0]);
  assert(waitMs()[0] <= 60, "Expected a first wait again");
});
