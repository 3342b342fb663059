/**
 * A consumer whose event loop is blocked: once it has all records, it reads its standard input synchronously until the
 * test wakes it. Then it commits at once, as a worker does that has noticed nothing.
 */
import { Recorder } from "../../broker/conformance/recorder.ts";
import { openKafka } from "./cluster.ts";

const [group, topic, count] = Deno.args as [string, string, string];
const recorder = new Recorder(60_000);
await using broker = openKafka();
const options = { group, topics: [topic], sessionTimeoutMs: 2000, maxFetchBytes: 65_536 };
const consumer = broker.consume(options, recorder);
await recorder.until(
  "all records came",
  () => recorder.received.length === Number(count) && recorder.isMember === true,
);
const mine = recorder.own(0);
const [before] = await consumer.commit([{ ownership: mine, next: 20, metadata: "before" }]);
const calls = recorder.calls;
console.log(JSON.stringify({ before }));

Deno.stdin.readSync(new Uint8Array(1));

// The sink was not called yet: only the clock shows the end of the session.
const awake = { calls: recorder.calls - calls, held: consumer.sessionValidUntilMs > performance.now() };
const committing = consumer.commit([{ ownership: mine, next: 24, metadata: "late" }]);
await recorder.until("it noticed", () => mine.lost.aborted);
const [late] = await committing;
const [ended] = await consumer.commit([{ ownership: mine, next: 25, metadata: "later" }]);
const [loss] = recorder.losses;
console.log(JSON.stringify({ awake, late, ended, reason: loss!.reason, breaches: recorder.breaches }));
