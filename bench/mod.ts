/**
 * `deno task bench [name …]`: speed as ratios within one run, measured through the public App and worker. Each line has
 * the figure, its bar and whether it is met; absolute figures hold for this machine only. `kafka` and `sqlite` name all
 * benches of a broker. A Kafka is started only where a bench needs one.
 *
 * Conditions: fresh processes, interleaved rounds, medians. A bar that is missed does not fail the command.
 */
import { kafkaForTests } from "../tasks/kafka/for_tests.ts";
import { print } from "./figures.ts";
import { kafkaBenches } from "./kafka.ts";
import { keysBenches } from "./keys.ts";
import { sqliteBenches } from "./sqlite.ts";
import { startBenches } from "./start.ts";

const benches = { ...kafkaBenches, ...keysBenches, ...startBenches, ...sqliteBenches };
const groups: Readonly<Record<string, readonly string[]>> = {
  kafka: Object.keys(kafkaBenches),
  sqlite: Object.keys(sqliteBenches),
};

if (import.meta.main) {
  const asked = Deno.args.flatMap((name) => Object.hasOwn(groups, name) ? groups[name]! : [name]);
  const names = asked.length > 0 ? asked : Object.keys(benches);
  const unknown = names.filter((name) => !Object.hasOwn(benches, name));
  if (unknown.length > 0) {
    const known = [...Object.keys(groups), ...Object.keys(benches)].join(", ");
    console.error(`No bench is called ${unknown.join(", ")}; there are ${known}`);
    Deno.exit(64);
  }
  await using kafka = names.some((name) => Object.hasOwn(kafkaBenches, name)) ? await kafkaForTests() : null;
  if (kafka !== null) Deno.env.set("BROKER_URL", kafka.url);
  for (const name of names) {
    for (const line of await benches[name]!()) print(line);
  }
}
