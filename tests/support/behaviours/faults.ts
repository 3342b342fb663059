/**
 * Faults of a log, the same on each broker: the memory log causes them itself, on the other brokers another client or
 * an administrator does.
 */
import { DatabaseSync } from "node:sqlite";
import type { BrokerSource } from "../../../src/broker/broker.ts";
import { kafka } from "../../../src/broker/kafka/mod.ts";
import { outside, sqliteFaults } from "../../broker/sqlite/harness.ts";
import { administer, brokers, commitAsStranger, deleteRecords, recreateTopic } from "../kafka/cluster.ts";
import { API, Relay } from "../kafka/relay.ts";
import type { World } from "./world.ts";
import { produceRaw } from "./raw_kafka.ts";
import { until } from "../until.ts";
import type { Position } from "../../../src/support/position.ts";

/** The age of metadata for a test that waits until a worker notices a change of a topic, in ms. */
const METADATA_MAX_AGE_MS = 300;

/** Returns the source of a world's records for a process that must notice changes of topics soon. */
export function attentive(world: World): BrokerSource {
  return world.brokerName === "kafka" ? kafka({ brokers, metadataMaxAgeMs: METADATA_MAX_AGE_MS }) : world.source;
}

/** The log of a world with a counter of append requests: of those on the wire, if there is one. */
export interface CountedLog extends AsyncDisposable {
  /** The `broker` option of a process. */
  readonly source: BrokerSource;
  /** The number of append requests. */
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
  if (world.brokerName === "kafka") {
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

/** A connection to a log that can be cut, while other clients still reach the log. */
export interface CuttableConnection extends AsyncDisposable {
  /** The `broker` option of a process. */
  readonly source: BrokerSource;
  /** Cuts the connection. */
  cut(): void;
  /** Restores the connection. */
  restore(): void;
}

/**
 * Returns a connection to the world's log that can be cut. While it is cut, a memory log is offline for all clients,
 * and another program holds the lock of an SQLite file.
 */
export function cuttableConnection(world: World): CuttableConnection {
  const { log, file, source } = world;
  if (file !== null) {
    const other = new DatabaseSync(file, { timeout: 5000 });
    return {
      source,
      cut: () => other.exec("BEGIN IMMEDIATE"),
      restore: () => other.exec("ROLLBACK"),
      [Symbol.asyncDispose]: () => Promise.resolve(other.close()),
    };
  }
  if (log !== null) {
    return {
      source,
      cut: () => log.goOffline(),
      restore: () => log.goOnline(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const relay = new Relay(brokers[0]!);
  return {
    source: kafka({ brokers: [relay.broker], metadataMaxAgeMs: METADATA_MAX_AGE_MS }),
    cut: () => relay.leave(),
    restore: () => relay.comeBack(),
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
}

/** Deletes a queue's topic with its committed offsets, and creates it again. */
export async function recreateQueue(world: World, partitions: number, queue = "default"): Promise<void> {
  const topic = world.topic(queue);
  if (world.log !== null) world.log.recreateTopic(topic, partitions);
  else if (world.file !== null) await sqliteFaults(world.file).recreateTopic(topic, partitions);
  else await recreateTopic(topic, partitions);
}

/** Deletes a queue's topic. */
export async function deleteTopic(world: World, queue = "default"): Promise<void> {
  const topic = world.topic(queue);
  if (world.log !== null) world.log.deleteTopic(topic);
  else if (world.file !== null) outside(world.file, ["DELETE FROM topics WHERE name = ?", topic]);
  else await administer((admin) => admin.deleteTopics({ topics: [topic] }));
}

/** Deletes the records before an offset, as retention does. */
export async function deleteBefore(world: World, offset: number, queue = "default"): Promise<void> {
  const before: Position = { topic: world.topic(queue), partition: 0, offset };
  if (world.log !== null) world.log.deleteRecords(before);
  else if (world.file !== null) await sqliteFaults(world.file).deleteRecords(before);
  else await deleteRecords(before);
}

/** Ends a topic with offsets that no consumer sees: aborted records, and the control record of their transaction. */
export async function abortTransaction(world: World, aborted: readonly string[] = ["a", "b"]): Promise<void> {
  const at = { topic: world.topic(), partition: 0 };
  const count = aborted.length + 1;
  if (world.log !== null) return world.log.appendControl(at, count);
  if (world.file !== null) return await sqliteFaults(world.file).appendControl(at, count);
  const end = async () => (await world.client.admin.ends(at.topic))[0]!.high;
  const before = await end();
  await produceRaw(at.topic, aborted.map((value) => ({ value })), "abort");
  // Kafka writes the control record shortly after it has acknowledged the end of the transaction.
  await until(async () => await end() === before + count, () => "the control record");
}

/** Another member of the group takes the partition, commits with metadata of its own, and leaves. */
export async function commitAs(world: World, to: Position, metadata: string): Promise<void> {
  if (world.log !== null) await world.log.commitAs(world.group, to, metadata);
  else if (world.file !== null) await sqliteFaults(world.file).commitAs(world.group, to, metadata);
  else await commitAsStranger(world.group, world.topic("other"), to, metadata);
}
