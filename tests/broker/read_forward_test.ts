/** The reading of a log in pages. */
import { assertEquals } from "@std/assert";
import { readForward } from "../../src/broker/read_forward.ts";

Deno.test("the event loop turns between the pages of a log that is in memory", async () => {
  const high = 1000;
  let read = 0;
  let readAtTimer = high;
  const admin = {
    read: (_topic: string, _partition: number, { from }: { readonly from: number }) => {
      read++;
      const record = { offset: from, key: null, value: "", headers: [], timestampMs: 0 };
      return Promise.resolve({ records: [record], next: from + 1, low: 0, high, lastStable: high });
    },
  };
  const timer = setTimeout(() => readAtTimer = read, 0);
  for await (const _ of readForward(admin, { topic: "t", partition: 0 }, { from: 0 })) { /* It is only read. */ }
  clearTimeout(timer);
  assertEquals([read, readAtTimer < high], [high, true]);
});
