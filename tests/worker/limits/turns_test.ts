/** The turns of jobs that a limit holds: a job that cannot start keeps none from the others. */
import { activeJobTopic, App, Job, type KafkaOptions, type LimitedJob } from "@activejob/kafka";
import { assertEquals } from "@std/assert";
import { partitionOfKey } from "../../../src/broker/partitioner.ts";
import { FaultInjectionLog } from "../../support/fault_injection_log.ts";
import { LimitedBroker } from "../../support/limited_broker.ts";
import { until } from "../../support/until.ts";

Deno.test("a held job that the commit keeps back, once it is woken, leaves its turn to another partition", async () => {
  const keys = [0, 1].map((partition) => ["a", "b", "c", "d"].find((key) => partitionOfKey(key, 2) === partition)!);
  const ran: string[] = [];
  const tried: string[] = [];
  const gates = { x0: Promise.withResolvers<void>(), a0: Promise.withResolvers<void>() };
  class TenantJob extends Job {
    static override kafkaOptions: KafkaOptions<TenantJob> = { key: (job) => keys[job.args[1]]! };
    async perform(name: string, _partition: number) {
      ran.push(name);
      await gates[name as keyof typeof gates]?.promise;
    }
  }
  const by = ({ args: [name] }: LimitedJob) => {
    tried.push(name as string);
    return (name as string)[0]!;
  };
  const broker = new LimitedBroker(new FaultInjectionLog(), 200);
  let refused = 0;
  await using app = new App({
    name: "shop",
    broker,
    jobs: [TenantJob],
    topics: [activeJobTopic("default", { partitions: 2, ordering: "none", limits: { tenant: { by, max: 1 } } })],
    commitIntervalMs: 1,
    logger: false,
  });
  const stop = new AbortController();
  const run = app.worker().run(stop.signal);
  const enqueue = async (name: string, partition: number) => {
    await app.enqueue(TenantJob.of(name, partition));
    await until(() => tried.includes(name), () => `${name} has not come to the limit`);
  };
  // In partition 0 the front "x0" runs, and "a1" is the tenth behind it.
  await enqueue("a0", 1);
  await enqueue("x0", 0);
  for (const name of "bcdefghi") await enqueue(`${name}1`, 0);
  await until(() => ran.length === 10, () => `Only ${ran}`);
  await enqueue("a1", 0);
  await enqueue("a2", 1);
  // The commit of what has ended behind the front is refused: from now on it has space for some records only.
  broker.isTooLong = (metadata) => metadata.includes(";f=") && refused++ === 0;
  await enqueue("j1", 0);
  await until(() => refused > 0, () => "no commit was refused");
  gates.a0.resolve();
  await until(() => ran.includes("a2"), () => `Only ${ran}`, 10_000);
  gates.x0.resolve();
  await until(() => ran.includes("a1"), () => `Only ${ran}`);
  stop.abort();
  await run;
  assertEquals(ran.slice(-2), ["a2", "a1"]);
});

Deno.test("a held job starts after a pause and its resume, never once it is cancelled, and in the next worker after a stop", async () => {
  const ran: string[] = [];
  const ends = new Map<string, () => void>();
  class HeldJob extends Job {
    async perform(name: string) {
      ran.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
    }
  }
  const limits = { all: { by: () => "", max: 1 } };
  await using app = new App({
    name: "shop",
    broker: "memory:",
    jobs: [HeldJob],
    topics: [activeJobTopic("default", { partitions: 1, ordering: "none", limits })],
    logger: false,
  });
  const events: string[] = [];
  for (const name of ["topic.paused", "topic.resumed", "job.cancelled"] as const) {
    app.on(name, () => void events.push(name));
  }
  const untilRan = (...names: string[]) => until(() => `${ran}` === `${names}`, () => `Only ${ran}`);
  const untilEvent = (name: string) => until(() => events.includes(name), () => `Only ${events}`);
  const stop = new AbortController();
  const first = app.worker();
  const run = first.run(stop.signal);
  const jobs = ["a", "b", "c", "d", "e"].map((name) => HeldJob.of(name));
  await app.enqueueAll(jobs);
  await untilRan("a");
  await app.pause("default");
  await untilEvent("topic.paused");
  ends.get("a")!();
  await until(() => first.status().groups[0]!.partitions[0]!.position === 1, () => "the first job has not ended");
  assertEquals(ran, ["a"]);
  await app.resume("default");
  await untilRan("a", "b");
  await app.cancel(jobs[2]!.jobId);
  // A later order is obeyed: so the earlier one is known.
  await app.pause("default", { partition: 0 });
  await until(() => events.filter((name) => name === "topic.paused").length === 2, () => `Only ${events}`);
  await app.resume("default");
  await until(() => events.filter((name) => name === "topic.resumed").length === 2, () => `Only ${events}`);
  ends.get("b")!();
  await untilEvent("job.cancelled");
  await untilRan("a", "b", "d");
  stop.abort();
  ends.get("d")!();
  await run;
  assertEquals(ran, ["a", "b", "d"]);
  const second = app.worker().run(undefined, { once: true });
  await untilRan("a", "b", "d", "e");
  ends.get("e")!();
  await second;
  assertEquals(events.filter((name) => name === "job.cancelled"), ["job.cancelled"]);
});
