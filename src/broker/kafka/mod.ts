/**
 * Kafka as an App's broker: `broker: "kafka://a:9092,b:9092"`, or `kafka({ brokers, ssl, sasl, … })` for
 * more options. Naming it connects nothing and loads nothing.
 */
import { lazyImport } from "../../support/root_context.ts";
import type { BrokerSource } from "../broker.ts";
import { brokersOfUrl, type KafkaBrokerOptions, kafkaSettings } from "./options.ts";

export type { KafkaBrokerOptions, KafkaSaslOptions, KafkaTlsOptions } from "./options.ts";

/**
 * An Apache Kafka cluster.
 *
 * @param options where it is, and how to reach it
 * @returns a source for the `broker` of an App
 * @throws {InvalidConfigurationError} if an option is unknown or cannot work
 *
 * @example
 * ```ts
 * import { kafka } from "@activejob/kafka";
 * import { assertEquals } from "@std/assert";
 *
 * const source = kafka({
 *   brokers: ["a.example:9093", "b.example:9093"],
 *   ssl: true,
 *   sasl: { mechanism: "scram-sha-512", username: "shop", password: "secret" },
 * });
 * assertEquals(source.name, "kafka://a.example:9093,b.example:9093");
 * ```
 */
export function kafka(options: KafkaBrokerOptions): BrokerSource {
  const settings = kafkaSettings(options);
  const name = `kafka://${settings.brokers.join(",")}`;
  const source: BrokerSource = {
    name,
    permissions: Object.freeze({ net: settings.brokers }),
    async open(context) {
      const { KafkaBroker } = await lazyImport(() => import("./broker.ts"));
      return new KafkaBroker(name, settings, context);
    },
  };
  return Object.freeze(source);
}

/**
 * Reads `kafka://host:port,host:port`.
 *
 * @param url the text; a broker without a port has 9092
 * @returns a source for the `broker` of an App
 * @throws {InvalidConfigurationError} if it names no brokers, or has a user or a password in it
 */
export function kafkaFromUrl(url: string): BrokerSource {
  return kafka({ brokers: brokersOfUrl(url) });
}
