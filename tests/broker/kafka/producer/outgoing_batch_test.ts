/** A batch on its way, and what is left of it when records are taken out. */
import { assert } from "@std/assert";
import { AppendCall } from "../../../../src/broker/kafka/producer/append_call.ts";
import { OutgoingBatch } from "../../../../src/broker/kafka/producer/outgoing_batch.ts";

Deno.test("OutgoingBatch goes on with its wait when expired records are taken out", () => {
  const batch = new OutgoingBatch();
  for (const timeoutMs of [0, 60_000]) {
    batch.add({ call: new AppendCall([{ value: "1" }], timeoutMs), index: 0 }, Date.now(), Infinity);
  }
  for (let failures = 0; failures < 3; failures++) batch.nextRetryMs();
  const [left] = batch.splitExpired(performance.now() + 1);
  const waitMs = left!.nextRetryMs();
  assert(waitMs >= 320 && waitMs <= 480, `${waitMs} ms`);
});
