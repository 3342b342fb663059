import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { batchesIn } from "../../../../src/broker/kafka/batch/layout.ts";
import { oldMessage } from "../../../support/kafka/old_message.ts";
import { packedBatch } from "../../../support/kafka/packed_batch.ts";

Deno.test("batchesIn() finds batches and messages in old formats, and leaves the last one out if it is cut off", () => {
  const parts = [oldMessage(0, null), packedBatch([{ value: "a" }, { value: "b" }]), oldMessage(1, "c")];
  const data = Buffer.concat(parts);
  const found = (length: number) => [...batchesIn(data.subarray(0, length))].map(({ magic }) => magic);
  assertEquals(found(data.length), [0, 2, 1]);
  assertEquals([...batchesIn(data)].map(({ start, end }) => end - start), parts.map(({ length }) => length));
  let end = 0;
  for (const [at, { length }] of parts.entries()) {
    assertEquals(found(end + length - 1), [0, 2, 1].slice(0, at), "the last byte is missing");
    end += length;
  }
});
