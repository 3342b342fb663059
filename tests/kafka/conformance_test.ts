import { assertEquals } from "@std/assert";
import { conformance } from "../broker/conformance/mod.ts";
import { noKafka } from "../support/kafka/cluster.ts";
import { kafkaHarness } from "../support/kafka/harness.ts";

const skips = conformance(kafkaHarness, (name, fn) => Deno.test({ name, fn, ignore: noKafka }));

Deno.test("kafka: the conformance suite skips only the cases about tombstones, which Kafka keeps for a fixed time", () => {
  assertEquals(skips.map(({ missing }) => missing), Array(3).fill("ageRecords"));
});
