/**
 * The brokers on which each behaviour is tested: the memory log, an SQLite file, and a real Kafka if `BROKER_URL` names
 * one. `deno task test` runs the behaviours twice, with a Kafka and without; `TEST_BROKERS` then names the brokers.
 */
import type { Capabilities } from "../../../src/broker/broker.ts";
import { KAFKA_CAPABILITIES } from "../../../src/broker/kafka/broker.ts";
import { MEMORY_CAPABILITIES } from "../../../src/broker/memory/broker.ts";
import { SQLITE_CAPABILITIES } from "../../../src/broker/sqlite/broker.ts";

/** A broker under test. */
export interface BrokerUnderTest {
  /** Its name, at the end of each test's name. */
  readonly name: "memory" | "sqlite" | "kafka";
  /** Its abilities: a broker is excused from a behaviour that it cannot show. */
  readonly capabilities: Capabilities;
}

const kafkaUrl = Deno.env.get("BROKER_URL") ?? "";
const wanted = Deno.env.get("TEST_BROKERS") ?? "memory,sqlite,kafka";

/** The Kafka of this run, for the `broker` option of an App. */
export const KAFKA_URL = `kafka://${kafkaUrl.replace(/^kafka:\/\//, "")}`;

const all: readonly BrokerUnderTest[] = [
  { name: "memory", capabilities: MEMORY_CAPABILITIES },
  { name: "sqlite", capabilities: SQLITE_CAPABILITIES },
  ...(kafkaUrl === "" ? [] : [{ name: "kafka", capabilities: KAFKA_CAPABILITIES } as const]),
];

/** The brokers of this run. */
export const brokers: readonly BrokerUnderTest[] = all.filter(({ name }) => wanted.split(",").includes(name));
