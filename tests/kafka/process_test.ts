import { assert, assertEquals } from "@std/assert";
import { brokers, noKafka, openKafka } from "../support/kafka/cluster.ts";

const SOURCE = new URL("../../src/broker/kafka/mod.ts", import.meta.url).href;
const MONITOR = new URL("../../src/monitor/monitor.ts", import.meta.url).href;

/** What a worker needs, and no more. */
const LEAST = [`--allow-net=${brokers.join(",")}`];

async function run(
  program: string,
  permissions: readonly string[],
): Promise<{ code: number; text: string; ms: number }> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  const config = new URL("../../deno.json", import.meta.url).pathname;
  await Deno.writeTextFile(
    file,
    `import { kafka } from ${JSON.stringify(SOURCE)};
     import { Monitor } from ${JSON.stringify(MONITOR)};
     const broker = await kafka({ brokers: ${
      JSON.stringify(brokers)
    } }).open({ clientId: "script", monitor: new Monitor() });
     ${program}`,
  );
  const startedMs = performance.now();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--no-prompt", "--config", config, ...permissions, file],
    signal: AbortSignal.timeout(30_000),
  }).output();
  await Deno.remove(file);
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  return { code, text, ms: performance.now() - startedMs };
}

Deno.test({
  name: "a script that appends and falls off its end is flushed, and ends by itself with the fewest permissions",
  ignore: noKafka,
  async fn() {
    await using broker = openKafka();
    const topic = `script-${crypto.randomUUID()}`;
    await broker.admin.create([{ name: topic, partitions: 2 }]);
    const { code, text, ms } = await run(
      `
      void broker.append(${JSON.stringify(topic)}, Array.from({ length: 500 }, (_, n) => ({ value: String(n) })));
    `,
      LEAST,
    );
    assertEquals({ code, text }, { code: 0, text: "" });
    const ends = await broker.admin.ends(topic);
    assertEquals(ends.reduce((sum, { high }) => sum + high, 0), 500);
    assert(ms < 10_000, `It took ${ms} ms`);
  },
});

Deno.test({
  name: "naming a Kafka loads nothing of its client",
  ignore: noKafka,
  async fn() {
    // kafkajs reads the environment when it is loaded, which would be refused.
    const { code, text } = await run("console.log(broker.name);", []);
    assertEquals({ code, text }, { code: 0, text: `kafka://${brokers.join(",")}\n` });
  },
});
