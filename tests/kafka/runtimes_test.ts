/** Node and Bun on a real Kafka, from a package as JSR makes it. `tests/runtimes` has everything that needs no Kafka. */
import { assertEquals } from "@std/assert";
import { findMissingRuntimes, otherRuntimes } from "../../tasks/runtimes.ts";
import { brokers, noKafka } from "../support/kafka/cluster.ts";
import { OtherProject } from "../support/other_runtimes.ts";

const ignore = noKafka || await findMissingRuntimes() !== null;
const project = ignore ? null : await OtherProject.create();
addEventListener("unload", () => project !== null && Deno.removeSync(project.folder, { recursive: true }));

const env = { BROKER_URL: `kafka://${brokers.join(",")}` };

for (const { name, program } of otherRuntimes) {
  Deno.test({
    name: `${name} performs jobs on Kafka, in batches with zstd`,
    ignore,
    async fn() {
      const args = ["tests/runtimes/programs/perform.ts", env.BROKER_URL];
      const { code, stdout, stderr } = await project!.run(program, args);
      const value = (ms: number) => `0 ${ms} at ${new Date(ms).toISOString()} with a,${2n ** 64n}`;
      assertEquals([code, stdout], [0, [`kafka: ${value(1)}, ${value(250)}; 0 0`]], stderr.join("\n"));
    },
  });

  Deno.test({
    name: `${name} passes the conformance suite of Kafka`,
    ignore,
    async fn() {
      const args = ["tests/runtimes/programs/conformance.ts", "kafka"];
      const { code, stdout, stderr } = await project!.run(program, args, { env });
      const counts = stdout.map((line) => line.replace(/\d+ cases/, "… cases"));
      assertEquals([code, counts], [0, ["kafka: … cases, 0 failed, 3 left out"]], stderr.join("\n"));
    },
  });
}
