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
  await until(() => ran.includes("a2"), () => `Only ${ran}`);
  gates.x0.resolve();
  await until(() => ran.includes("a1"), () => `Only ${ran}`);
  stop.abort();
  await run;
  assertEquals(ran.slice(-2), ["a2", "a1"]);
});
