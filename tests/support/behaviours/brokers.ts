/**
 * The brokers that every row of `tests/behaviours` runs on: the memory log, an SQLite file, and a real Kafka where
 * `BROKER_URL` names one. `deno task test` runs the rows twice, with a Kafka and without; `TEST_BROKERS` then says which.
 */
import type { Capabilities } from "../../../src/broker/broker.ts";
import { KAFKA_CAPABILITIES } from "../../../src/broker/kafka/broker.ts";
import { MEMORY_CAPABILITIES } from "../../../src/broker/memory/broker.ts";
import { SQLITE_CAPABILITIES } from "../../../src/broker/sqlite/broker.ts";

/** A broker to run a row on. */
export interface BrokerUnderTest {
  /** Stands at the end of the test's name. */
  readonly name: "memory" | "sqlite" | "kafka";
  /** What it says of itself: what it cannot do excuses it from a row. */
  readonly capabilities: Capabilities;
}

const kafkaUrl = Deno.env.get("BROKER_URL") ?? "";
const wanted = Deno.env.get("TEST_BROKERS") ?? "memory,sqlite,kafka";

/** The Kafka of this run, as an App takes it. */
export const KAFKA_URL = `kafka://${kafkaUrl.replace(/^kafka:\/\//, "")}`;

const all: readonly BrokerUnderTest[] = [
  { name: "memory", capabilities: MEMORY_CAPABILITIES },
  { name: "sqlite", capabilities: SQLITE_CAPABILITIES },
  ...(kafkaUrl === "" ? [] : [{ name: "kafka", capabilities: KAFKA_CAPABILITIES } as const]),
];

/** The brokers of this run. */
export const brokers: readonly BrokerUnderTest[] = all.filter(({ name }) => wanted.split(",").includes(name));
