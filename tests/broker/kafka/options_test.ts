import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvalidConfigurationError } from "../../../src/errors.ts";
import { kafka, kafkaFromUrl } from "../../../src/broker/kafka/mod.ts";
import { type KafkaBrokerOptions, kafkaSettings } from "../../../src/broker/kafka/options.ts";

Deno.test("kafkaFromUrl() reads the brokers, with Kafka's port where none is given", () => {
  assertEquals(kafkaFromUrl("kafka://a:9093,b").name, "kafka://a:9093,b:9092");
});

Deno.test("kafkaFromUrl() refuses what is more than brokers, and shows no password", () => {
  for (
    const url of [
      "kafka://",
      "kafka://user:secret@a:9092",
      "kafka://a/x",
      "kafka://a?x=1",
      "kafka://a,,b",
      "kafka://[::1]:9092",
    ]
  ) {
    const error = assertThrows(() => kafkaFromUrl(url), InvalidConfigurationError);
    assert(!error.message.includes("secret"), error.message);
  }
});

Deno.test("kafka() refuses unknown keys and values that cannot work, without quoting secrets", () => {
  const wrong: [Record<string, unknown>, string][] = [
    [{ brokerz: ["a:1"] }, '"brokerz"'],
    [{}, '"brokers"'],
    [{ brokers: [] }, '"brokers"'],
    [{ brokers: ["a:99999"] }, "a:99999"],
    [{ brokers: "a:1" }, '"brokers" must be an array of "host:port"'],
    [{ brokerz: ["a:1"] }, 'did you mean "brokers"?'],
    [{ brokers: ["a:1"], deliveryTimeoutMs: -1 }, '"deliveryTimeoutMs"'],
    // Beyond what a timer can wait it would be over at once.
    [{ brokers: ["a:1"], deliveryTimeoutMs: 2 ** 31 }, '"deliveryTimeoutMs"'],
    [{ brokers: ["a:1"], ssl: "yes" }, '"ssl" must be true, false or an object'],
    [{ brokers: ["a:1"], ssl: { rejectUnauthorised: false } }, 'did you mean "rejectUnauthorized"?'],
    [{ brokers: ["a:1"], ssl: { ca: 5 } }, '"ssl.ca" must be a string or an array of strings'],
    [{ brokers: ["a:1"], ssl: { passphrase: { secret: 1 } } }, '"ssl.passphrase" must be a string'],
    [{ brokers: ["a:1"], sasl: "secret" }, '"sasl" must be an object'],
    [{ brokers: ["a:1"], sasl: { mechanism: "plain", username: "u", pasword: "secret" } }, '"pasword"'],
    [{ brokers: ["a:1"], sasl: { mechanism: "secret", password: "x" } }, '"sasl.mechanism" must be one of "plain"'],
    [{ brokers: ["a:1"], ssl: "-----secret" }, '"ssl" must be true, false or an object'],
    [{ brokers: ["a:1"], ssl: null }, '"ssl" must be true, false or an object'],
    [{ brokers: ["a:1"], ssl: { rejectUnauthorized: "secret" } }, '"ssl.rejectUnauthorized" must be true or false'],
    [{ brokers: ["a:1"], ssl: { key: new TextEncoder().encode("secret") } }, '"ssl.key" must be a string'],
    [{ brokers: ["u:secret@h:9092"] }, 'but it is "***"'],
    [{ brokers: ["kafka://u:secret@h"] }, 'but it is "kafka://***"'],
    [{ brokers: ["h:9092?password=secret"] }, 'but it is "***"'],
    [{ brokers: ["h", "u:secret"] }, 'but it is "***"'],
    [{ brokers: ["[::1]:9092"] }, 'but it is "[::1]:9092"'],
    [{ brokers: ["kafka://h:9092"] }, 'but it is "kafka://h:9092"'],
    [{ brokers: [5] }, "but it is 5"],
    [{ brokers: "u:secret@h:9092" }, '"brokers" must be an array'],
    [{ brokers: ["a:1"], sasl: { mechanism: "plain", password: "secret" } }, '"username"'],
    [{ brokers: ["a:1"], sasl: { mechanism: "oauthbearer" } }, '"token"'],
  ];
  for (const [options, part] of wrong) {
    const error = assertThrows(() => kafka(options as unknown as KafkaBrokerOptions), InvalidConfigurationError, part);
    assert(!error.message.includes("secret"), error.message);
  }
});

Deno.test("kafkaSettings() has the documented defaults", () => {
  const { deliveryTimeoutMs, requestTimeoutMs, connectionTimeoutMs, metadataMaxAgeMs, ssl, sasl } = kafkaSettings({
    brokers: ["a:1"],
    // As absent, for callers in plain JavaScript.
    ...{ deliveryTimeoutMs: undefined, ssl: undefined } as object,
  });
  assertEquals([deliveryTimeoutMs, requestTimeoutMs, connectionTimeoutMs, metadataMaxAgeMs], [
    120_000,
    30_000,
    5000,
    30_000,
  ]);
  assertEquals([ssl, sasl], [false, null]);
});
