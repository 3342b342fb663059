/**
 * The App of a child process. It enqueues its own jobs when it is loaded, since a memory log lives in one process. Its
 * jobs print their starts and ends; a gate job waits until standard input says "go".
 */
import { activeJobTopic, App, Job, type KafkaOptions } from "@activejob/kafka";
import type { Broker, BrokerSource, ConsumerSink } from "../../../../src/broker/broker.ts";
import { FaultInjectionLog } from "../../fault_injection_log.ts";
import { readBrokerSource } from "../../../../src/broker/source.ts";
import { readSettings } from "./settings.ts";

const settings = readSettings();

/** All in one partition, in their order. */
abstract class KeyedJob extends Job {
  static override kafkaOptions: KafkaOptions = { key: () => "one" };
}

class PlainJob extends KeyedJob {
  perform(n: number) {
    console.log(`performed ${n}`);
  }
}

class GateJob extends KeyedJob {
  async perform(n: number) {
    console.log(`begun ${n}`);
    await untilInput("go");
    console.log(`ended ${n}`);
  }
}

class NeverJob extends KeyedJob {
  async perform(n: number) {
    console.log(`begun ${n}`);
    await new Promise(() => {});
  }
}

class FailJob extends KeyedJob {
  perform(): never {
    throw new Error("as always");
  }
}

/** Enqueues the next one: the jobs never end. */
class EndlessJob extends KeyedJob {
  async perform(n: number) {
    await EndlessJob.performLater(n + 1);
    console.log(`performed ${n}`);
  }
}

const log = settings.broker === "memory" ? new FaultInjectionLog() : null;
const classes = [PlainJob, GateJob, NeverJob, FailJob, EndlessJob];

export const app: App = new App({
  name: settings.name,
  broker: watched(log === null ? readBrokerSource(settings.broker) : log.source),
  queuePrefix: settings.name,
  jobs: classes,
  topics: [activeJobTopic("default", { partitions: 2 })],
  backoff: { initialMs: 20, maxMs: 20, jitter: 0 },
  commitIntervalMs: 20,
  sessionTimeoutMs: 6000,
  logger: { level: "debug", format: "json" },
  ...(settings.shutdownTimeoutMs === undefined ? {} : { shutdownTimeoutMs: settings.shutdownTimeoutMs }),
});

console.log("loading");
// Keeps the process alive, as a server would.
setInterval(() => {}, 1000);
if (settings.stalls) await new Promise(() => {});
if (settings.offlineAt === "load") log!.goOffline();
if (settings.offlineAt === "performed") app.on("job.performed", () => log!.goOffline());
if (settings.termAt === "releasing") app.on("partition.assigned", startAnother);
if (settings.enqueue !== undefined) {
  await app.applyTopics();
  for (const [name, n] of settings.enqueue) {
    const Class = classes.find((Class) => Class.name === name)!;
    await (Class as unknown as typeof PlainJob).performLater(n);
  }
}
console.log("loaded");

/** A second member makes the group rebalance. */
let another: Promise<unknown> | undefined;
function startAnother() {
  another ??= app.worker().run();
}

/** Wraps the broker to act at the calls of a worker. */
function watched(source: BrokerSource): BrokerSource {
  return { ...source, open: async (context) => watchedBroker(await source.open(context)) };
}

function watchedBroker(broker: Broker): Broker {
  const consume = broker.consume.bind(broker);
  broker.consume = (options, sink) => {
    const consumer = consume(options, watchedSink(sink));
    if (settings.offlineAt === "consume") log!.goOffline();
    if (settings.termAt === "consume") term("consume");
    return consumer;
  };
  return broker;
}

function watchedSink(sink: ConsumerSink): ConsumerSink {
  return {
    assigned: (added, continued) => sink.assigned(added, continued),
    records: (ownership, batch) => sink.records(ownership, batch),
    releasing(ownerships) {
      if (settings.termAt === "releasing") term("releasing");
      return sink.releasing(ownerships);
    },
    lost: (ownerships, reason) => sink.lost(ownerships, reason),
    expired: (ownership, from, to) => sink.expired(ownership, from, to),
    membership: (isMember) => sink.membership(isMember),
    failed: (error) => sink.failed(error),
  };
}

function term(when: string): void {
  console.log(`terminated at ${when}`);
  Deno.kill(Deno.pid, "SIGTERM");
}

/** Waits for this line on standard input. */
async function untilInput(word: string): Promise<void> {
  for await (const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    if (line.trim() === word) return;
  }
}
