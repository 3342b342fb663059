/** The conditions of a run: the machine, the versions and the size. */
import { cpus } from "node:os";
import { brokerUrl } from "../tasks/kafka/for_tests.ts";
import { KAFKA_VERSION } from "../tasks/kafka/server.ts";
import type { Size } from "./options.ts";
import type { Conditions } from "./report.ts";

/** The Kafka of the run. */
export const kafkaName: string = brokerUrl === "" ? `Kafka ${KAFKA_VERSION}` : "the Kafka at BROKER_URL";

/**
 * Returns the conditions of a run.
 *
 * @param servers the servers that took part: `"Kafka 4.3.1"`
 * @param load the load average before the run: much above 0, another process distorts the ratios
 */
export function conditionsOf(size: Size, servers: readonly string[], load: number): Conditions {
  const processors = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    Deno: Deno.version.deno,
    system: `${Deno.build.os} on ${processors.length} × ${processors[0]?.model ?? "unknown processor"}`,
    "load average before": load.toFixed(1),
    servers: servers.join(" and ") || "none",
    rounds: size.quickRounds === size.rounds ? String(size.rounds) : `${size.rounds} to ${size.quickRounds}`,
    "no-op jobs a round": size.jobs.toLocaleString("en"),
  };
}
