/** Node and Bun on a real Kafka, from a package as JSR makes it. `tests/runtimes` has everything that needs no Kafka. */
import { assertEquals } from "@std/assert";
import { findMissingRuntimes, otherRuntimes } from "../../tasks/runtimes.ts";
import { brokers, noKafka } from "../support/kafka/cluster.ts";
import { OtherProject } from "../support/other_runtimes.ts";

const ignore = noKafka || await findMissingRuntimes() !== null;

Deno.test({
  name: "Node and Bun perform jobs on Kafka, in batches with zstd",
  ignore,
  async fn() {
    await using project = await OtherProject.create();
    for (const { name, program } of otherRuntimes) {
      const url = `kafka://${brokers.join(",")}`;
      const { code, stdout, stderr } = await project.run(program, ["tests/runtimes/programs/perform.ts", url]);
      const value = (ms: number) => `0 ${ms} at ${new Date(ms).toISOString()} with a,${2n ** 64n}`;
      assertEquals([name, code, stdout], [name, 0, [`kafka: ${value(1)}, ${value(250)}; 0 0`]], stderr.join("\n"));
    }
  },
});
