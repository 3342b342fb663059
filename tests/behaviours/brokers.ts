/**
 * The brokers that every row of `tests/behaviours` runs on: the memory broker, and a real Kafka where `BROKER_URL` names one.
 * `deno task test` runs the rows twice, once for each; `TEST_BROKERS` then says which.
 */

/** A broker to run a row on. */
export interface BrokerUnderTest {
  /** Stands at the end of the test's name. */
  readonly name: "memory" | "kafka";
  /** What an App takes as its `broker`. */
  readonly url: string;
}

const kafkaUrl = Deno.env.get("BROKER_URL") ?? "";
const wanted = Deno.env.get("TEST_BROKERS") ?? "memory,kafka";

const all: readonly BrokerUnderTest[] = [
  { name: "memory", url: "memory:" },
  ...(kafkaUrl === "" ? [] : [{ name: "kafka", url: `kafka://${kafkaUrl.replace(/^kafka:\/\//, "")}` } as const]),
];

/** The brokers of this run. */
export const brokers: readonly BrokerUnderTest[] = all.filter(({ name }) => wanted.split(",").includes(name));
