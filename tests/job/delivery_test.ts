/** The delivery of a job: its state, and a promise that is made on demand. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { EnqueueError } from "../../src/errors.ts";
import { Delivery } from "../../src/job/delivery.ts";

const position = { topic: "default", partition: 0, offset: 3 };

Deno.test("Delivery resolves its promise, also one that was taken before", async () => {
  const delivery = new Delivery();
  const before = delivery.settled();
  delivery.succeed(position);
  assertEquals([await before, await delivery.settled(), delivery.status], [position, position, "delivered"]);
});

Deno.test("Delivery rejects a promise that was taken, and causes no unhandled rejection", async () => {
  for (const [written, status] of [["no", "failed"], ["unknown", "unknown"]] as const) {
    const error = new EnqueueError("No", { written });
    const awaited = new Delivery();
    const before = awaited.settled();
    awaited.fail(error);
    const ignored = new Delivery();
    // An unhandled rejection would fail this test.
    ignored.fail(error);
    assertEquals([awaited.status, ignored.status, ignored.error], [status, status, error]);
    for (const promise of [before, awaited.settled(), ignored.settled()]) {
      assert(await assertRejects(() => promise, EnqueueError) === error);
    }
  }
});
