/**
 * What goes wrong with a log, caused on purpose and alike on every broker: the memory log is asked to, and a Kafka gets it
 * from an administrator or from another client of it.
 */
import type { BrokerSource, Position } from "../../src/broker/broker.ts";
import { kafka } from "../../src/broker/kafka/mod.ts";
import { administer, appendAborted, brokers, deleteRecords, recreateTopic } from "../kafka/cluster.ts";
import { API, Relay } from "../kafka/relay.ts";
import type { World } from "./harness.ts";

/** How old what a worker knows about topics may be where a row waits for it to notice a change, in milliseconds. */
const METADATA_MAX_AGE_MS = 300;

/** Where the world's records live, for a process that is to notice soon that a topic has changed. */
export function attentive(world: World): BrokerSource {
  return world.log === null ? kafka({ brokers, metadataMaxAgeMs: METADATA_MAX_AGE_MS }) : world.source;
}

/** The world's log, and how many requests to append went to it: on the wire where there is one. */
export interface CountedLog extends AsyncDisposable {
  /** What a process takes as its broker. */
  readonly source: BrokerSource;
  /** How many there were. */
  readonly appends: number;
}

/** Counts the requests that append to the world's log. */
export function counted(world: World): CountedLog {
  let appends = 0;
  const counter = (source: BrokerSource, end: () => Promise<void>): CountedLog => ({
    source,
    get appends() {
      return appends;
    },
    [Symbol.asyncDispose]: end,
  });
  if (world.log === null) {
    const relay = new Relay(brokers[0]!);
    relay.onRequest = (api) => {
      if (api === API.produce) appends++;
      return "pass";
    };
    return counter(kafka({ brokers: [relay.broker] }), () => relay[Symbol.asyncDispose]());
  }
  const open: BrokerSource["open"] = async (context) => {
    const broker = await world.source.open(context);
    const append = broker.append.bind(broker);
    broker.append = (...args) => {
      appends++;
      return append(...args);
    };
    return broker;
  };
  return counter({ ...world.source, open }, () => Promise.resolve());
}

/** The way to a log that can be cut, while everybody else still reaches it. */
export interface Way extends AsyncDisposable {
  /** What a process takes as its broker. */
  readonly source: BrokerSource;
  /** Cuts it. */
  cut(): void;
  /** Mends it. */
  mend(): void;
}

/** A way to the world's log. On a memory log the whole log is away while it is cut. */
export function wayTo(world: World): Way {
  const { log, source } = world;
  if (log !== null) {
    return { source, cut: () => log.away(), mend: () => log.back(), [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const relay = new Relay(brokers[0]!);
  return {
    source: kafka({ brokers: [relay.broker], metadataMaxAgeMs: METADATA_MAX_AGE_MS }),
    cut: () => relay.leave(),
    mend: () => relay.comeBack(),
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
}

/** Deletes a queue's topic with all that was committed of it, and makes it anew. */
export async function makeAnew(world: World, partitions: number, queue = "default"): Promise<void> {
  if (world.log === null) await recreateTopic(world.topic(queue), partitions);
  else world.log.recreateTopic(world.topic(queue), partitions);
}

/** Deletes a queue's topic. */
export async function deleteTopic(world: World, queue = "default"): Promise<void> {
  const topic = world.topic(queue);
  if (world.log === null) await administer((admin) => admin.deleteTopics({ topics: [topic] }));
  else world.log.deleteTopic(topic);
}

/** Takes the records before an offset away, as retention does. */
export async function deleteBefore(world: World, offset: number, queue = "default"): Promise<void> {
  const before: Position = { topic: world.topic(queue), partition: 0, offset };
  if (world.log === null) await deleteRecords(before);
  else world.log.deleteRecords(before);
}

/** Ends a queue's log with offsets that no consumer sees: an aborted transaction. */
export async function abortTransaction(world: World, queue = "default"): Promise<void> {
  if (world.log === null) await appendAborted(world.topic(queue), 0);
  else world.log.appendControl({ topic: world.topic(queue), partition: 0 }, 3);
}
