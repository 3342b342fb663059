/** The job of the last tick, where its topic is not there any more. */
import { assertEquals, assertRejects } from "@std/assert";
import { scheduleRecord } from "../../../src/dispatch/schedule.ts";
import { UnknownTopicError } from "../../../src/errors.ts";
import { isOpen } from "../../../src/scheduler/recurring/is_open.ts";
import { FaultInjectionLog } from "../../support/fault_injection_log.ts";

const LAST = { tickAtMs: 0, jobId: "note/0", position: { topic: "target", partition: 0, offset: 0 } };

Deno.test("a job whose topic was deleted is open only if it is among the delayed jobs", async () => {
  const log = new FaultInjectionLog();
  await using broker = log.open();
  const scheduled = { topic: "scheduled", group: "group" };
  const { signal } = new AbortController();
  const look = () => isOpen(LAST, { admin: broker.admin, group: "group", scheduled, signal });
  // Also the error of a topic that must be there.
  await assertRejects(look, UnknownTopicError, "scheduled");
  await broker.admin.create([{ name: "scheduled", config: { "cleanup.policy": "compact" } }, { name: "target" }]);
  await broker.append("target", [{ key: null, value: "{}" }]);
  assertEquals(await look(), true);
  log.deleteTopic("target");
  assertEquals(await look(), false);
  const schedule = { jobId: LAST.jobId, dueAtMs: Date.now() + 60_000, targetTopic: "target" };
  await broker.append("scheduled", [scheduleRecord({ value: "{}" }, schedule)]);
  assertEquals(await look(), true);
});
