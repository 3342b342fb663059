/** The consumer of a group: lost partitions, and the events of an assignment. */
import { activeJobTopic, App, type EventMap, Job } from "@activejob/kafka";
import { assertEquals } from "@std/assert";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { BrokerSource, ConsumerSink, Ownership } from "../../src/broker/broker.ts";
import { FaultInjectionLog } from "../support/fault_injection_log.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

/** A source whose consumers report to the sink that `wrap` returns. */
function wrapSink(source: BrokerSource, wrap: (sink: ConsumerSink) => Partial<ConsumerSink>): BrokerSource {
  const open: BrokerSource["open"] = async (context) => {
    const broker = await source.open(context);
    const consume = broker.consume.bind(broker);
    broker.consume = (options, sink) => {
      const replaced = wrap(sink);
      return consume(
        options,
        new Proxy(sink, { get: (_, name) => replaced[name as keyof ConsumerSink] ?? bound(sink, name) }),
      );
    };
    return broker;
  };
  return { ...source, open };
}

/** A source that keeps no ownership alive, and a weak reference to each. */
function watched(source: BrokerSource): { source: BrokerSource; ownerships: WeakRef<Ownership>[] } {
  const ownerships: WeakRef<Ownership>[] = [];
  const wrapped = wrapSink(source, (sink) => ({
    assigned(added, continued) {
      ownerships.push(...added.map((ownership) => new WeakRef(ownership)));
      sink.assigned(added, continued);
    },
  }));
  return { source: wrapped, ownerships };
}

/** A method of a sink, which has private fields and so must be called on itself. */
function bound(sink: ConsumerSink, name: string | symbol): unknown {
  return (sink[name as keyof ConsumerSink] as (...args: unknown[]) => unknown).bind(sink);
}

Deno.test("a lost partition is dropped when its job ends, though nothing else is lost after it", async () => {
  const begun: PromiseWithResolvers<void>[] = [];
  class WaitingJob extends Job {
    async perform() {
      const end = Promise.withResolvers<void>();
      begun.push(end);
      await end.promise;
    }
  }
  const log = new FaultInjectionLog();
  const { source, ownerships } = watched(log.source);
  const topics = [activeJobTopic("default")];
  await using app = new App({ name: "shop", broker: source, jobs: [WaitingJob], topics, logger: false });
  const run = app.worker({ scheduler: false }).run();
  await WaitingJob.performLater();
  while (begun.length < 1) await turn();
  log.revoke("shop", { topic: "default", partition: 0 });
  while (begun.length < 2) await turn();
  collectGarbage();
  assertEquals(
    ownerships.map((each) => each.deref() !== undefined),
    [true, true],
    "the job of the first one still runs",
  );
  begun[0]!.resolve();
  for (let turns = 0; turns < 3; turns++) await turn();
  collectGarbage();
  assertEquals(ownerships.map((each) => each.deref() !== undefined), [false, true]);
  begun[1]!.resolve();
  await app.close();
  await run;
});

Deno.test("one event names all partitions that move together, after the event of each, and a stop releases them", async () => {
  const log = new FaultInjectionLog();
  const topics = [activeJobTopic("default", { partitions: 3 })];
  await using app = new App({ name: "shop", broker: log.source, jobs: [], topics, logger: false });
  const seen: unknown[] = [];
  app.on("partition.assigned", ({ partition }) => seen.push(["assigned", partition]));
  app.on("partition.lost", ({ partition, reason }) => seen.push(["lost", partition, reason]));
  app.on("assignment.changed", ({ group, assigned, lost, reason, owned }) => {
    seen.push([
      group,
      assigned.map(({ partition }) => partition),
      lost.map(({ partition }) => partition),
      reason,
      owned,
    ]);
  });
  app.on("worker.started", ({ partitions }) => seen.push(["started", partitions]));
  await app.worker().run(undefined, { once: true });
  assertEquals(seen, [
    ["assigned", 0],
    ["assigned", 1],
    ["assigned", 2],
    ["shop", [0, 1, 2], [], null, 3],
    ["started", 3],
    ["lost", 0, "closed"],
    ["lost", 1, "closed"],
    ["lost", 2, "closed"],
    ["shop", [], [0, 1, 2], "closed", 0],
  ]);
});

Deno.test("a stop releases the partitions that a consumer did not report as lost in time", async () => {
  const source = wrapSink(new FaultInjectionLog().source, () => ({ lost: () => {} }));
  const topics = [activeJobTopic("default", { partitions: 2 })];
  await using app = new App({ name: "shop", broker: source, jobs: [], topics, logger: false });
  const lost: EventMap["partition.lost"][] = [];
  app.on("partition.lost", (event) => lost.push(event));
  const worker = app.worker();
  await worker.run(undefined, { once: true });
  assertEquals(lost, [
    { topic: "default", partition: 0, reason: "closed" },
    { topic: "default", partition: 1, reason: "closed" },
  ]);
  assertEquals(worker.status().groups[0]!.partitions, []);
});

Deno.test("a job whose partition is lost while it is given up is not dead-lettered", async () => {
  let lose = () => {};
  const called = Promise.withResolvers<void>();
  class GivenUpJob extends Job {
    static {
      this.afterDiscard(() => {
        lose();
        called.resolve();
      });
    }
    perform() {
      throw new Error("no");
    }
  }
  const log = new FaultInjectionLog();
  const source = wrapSink(log.source, (sink) => ({
    assigned(added, continued) {
      // Not those of the scheduler.
      if (added.some(({ topic }) => topic === "default")) lose = () => sink.lost(added, "revoked");
      sink.assigned(added, continued);
    },
  }));
  const topics = [activeJobTopic("default", { deadLetterQueue: { topic: "dead", maxRetries: 0 } })];
  await using app = new App({ name: "shop", broker: source, jobs: [GivenUpJob], topics, logger: false });
  const run = app.worker().run();
  await GivenUpJob.performLater();
  await called.promise;
  await app.close();
  await run;
  assertEquals(log.topic("dead")!.partitions.map(({ high }) => high), [0]);
});

Deno.test("a partition that is lost at the moment of a failure does not wait for the next try", async () => {
  class FailingJob extends Job {
    perform() {
      throw new Error("no");
    }
  }
  let lose = () => {};
  const source = wrapSink(new FaultInjectionLog().source, (sink) => ({
    assigned(added, continued) {
      // Not those of the scheduler.
      if (added.some(({ topic }) => topic === "default")) lose = () => sink.lost(added, "revoked");
      sink.assigned(added, continued);
    },
  }));
  // The test fails if the timer of this wait is left.
  const topics = [activeJobTopic("default", { backoff: { initialMs: 60_000, maxMs: 60_000 } })];
  await using app = new App({ name: "shop", broker: source, jobs: [FailingJob], topics, logger: false });
  const paused = Promise.withResolvers<void>();
  app.on("partition.paused", () => {
    lose();
    paused.resolve();
  });
  const run = app.worker().run();
  await FailingJob.performLater();
  await paused.promise;
  await app.close();
  await run;
});
