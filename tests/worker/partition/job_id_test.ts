/** Ids of jobs whose envelopes have none. */
import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { deriveJobId } from "../../../src/worker/partition/job_id.ts";

Deno.test("deriveJobId() is a UUID, the same for a record and different for each", () => {
  const position = { topic: "default", partition: 3, offset: 17 };
  const id = deriveJobId(position);
  assertMatch(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assertEquals(deriveJobId({ ...position }), id);
  for (const other of [{ offset: 18 }, { partition: 31, offset: 7 }, { topic: "default2" }]) {
    assertNotEquals(deriveJobId({ ...position, ...other }), id);
  }
});
