import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { AbortedFilter } from "../../../../src/broker/kafka/batch/aborted_filter.ts";
import { batchesIn } from "../../../../src/broker/kafka/batch/layout.ts";
import { batchOf, changed, markerBatch } from "../../../support/kafka/batches.ts";

const TRANSACTIONAL = 16;

function batch(baseOffset: number, producerId: number, attributes = TRANSACTIONAL): Buffer {
  const records = [{ value: "a", timestampMs: 1 }, { value: "b", timestampMs: 1 }];
  return changed(batchOf(records), { baseOffset, producerId, attributes });
}

/** The offsets of the batches that are left. */
function left(
  batches: readonly Buffer[],
  aborted: readonly { readonly producerId: bigint; readonly firstOffset: number }[],
): number[] {
  const data = Buffer.concat(batches);
  const filter = new AbortedFilter(aborted);
  return [...batchesIn(data)].filter((bounds) => !filter.skips(data, bounds)).map(({ baseOffset }) => baseOffset);
}

Deno.test("AbortedFilter leaves out aborted batches and markers, and keeps those of other producers in between", () => {
  const log = [
    batch(0, 1),
    batch(2, 2),
    batch(4, 7, 0),
    batch(6, 1),
    markerBatch(8, 1, "abort"),
    batch(9, 2),
    markerBatch(11, 2, "commit"),
    batch(12, 1),
    markerBatch(14, 1, "commit"),
  ];
  assertEquals(left(log, [{ producerId: 1n, firstOffset: 0 }]), [2, 4, 9, 12]);
  assertEquals(left(log, []), [0, 2, 4, 6, 9, 12]);
});

Deno.test("AbortedFilter takes the aborted transactions of a producer in their order, whatever the order of the list", () => {
  const log = [
    batch(0, 1),
    markerBatch(2, 1, "abort"),
    batch(3, 1),
    markerBatch(5, 1, "commit"),
    batch(6, 1),
    markerBatch(8, 1, "abort"),
  ];
  assertEquals(left(log, [{ producerId: 1n, firstOffset: 6 }, { producerId: 1n, firstOffset: 0 }]), [3]);
});

Deno.test("AbortedFilter does not take a record without a transaction for one of an aborted one of its producer", () => {
  assertEquals(left([batch(0, 1, 0), markerBatch(2, 1, "abort")], [{ producerId: 1n, firstOffset: 0 }]), [0]);
});

Deno.test("AbortedFilter knows a transaction that began in an earlier response", () => {
  assertEquals(left([batch(100, 1), markerBatch(102, 1, "abort")], [{ producerId: 1n, firstOffset: 3 }]), []);
});

Deno.test("AbortedFilter passes over a control batch that it cannot read", () => {
  const odd = changed(batchOf([{ key: "", value: "", timestampMs: 1 }]), { attributes: 16 | 32, producerId: 1 });
  assertEquals(left([odd, batch(1, 1)], [{ producerId: 1n, firstOffset: 0 }]), []);
});
