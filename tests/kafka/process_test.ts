import { assertEquals } from "@std/assert";
import { brokers, noKafka, openKafka } from "../support/kafka/cluster.ts";
import { MachineMeter } from "../support/machine_meter.ts";

const SOURCE = new URL("../../src/broker/kafka/mod.ts", import.meta.url).href;
const MONITOR = new URL("../../src/monitor/monitor.ts", import.meta.url).href;

/** The permissions that the client needs, and no more: it reads no variable and no file. */
const LEAST = [`--allow-net=${brokers.join(",")}`];

interface Run {
  readonly code: number;
  readonly text: string;
  readonly ms: number;
}

/** Runs a program that has a broker. */
function runWithBroker(program: string, permissions: readonly string[]): Promise<Run> {
  return runProgram(
    `
    import { kafka } from ${JSON.stringify(SOURCE)};
    import { Monitor } from ${JSON.stringify(MONITOR)};
    const source = kafka({ brokers: ${JSON.stringify(brokers)} });
    const broker = await source.open({ clientId: "script", monitor: new Monitor() });
    ${program}`,
    permissions,
  );
}

async function runProgram(program: string, permissions: readonly string[]): Promise<Run> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  const config = new URL("../../deno.json", import.meta.url).pathname;
  await Deno.writeTextFile(file, program);
  const startedMs = performance.now();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--no-prompt", "--config", config, ...permissions, file],
    signal: AbortSignal.timeout(120_000),
  }).output();
  await Deno.remove(file);
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  return { code, text, ms: performance.now() - startedMs };
}

Deno.test({
  name: "a script that appends and falls off its end is flushed, and ends by itself with the fewest permissions",
  ignore: noKafka,
  async fn() {
    using machine = new MachineMeter();
    await using broker = openKafka();
    const topic = `script-${crypto.randomUUID()}`;
    await broker.admin.create([{ name: topic, partitions: 2 }]);
    const { code, text, ms } = await runWithBroker(
      `
      void broker.append(${JSON.stringify(topic)}, Array.from({ length: 500 }, (_, n) => ({ value: String(n) })));
    `,
      LEAST,
    );
    assertEquals({ code, text }, { code: 0, text: "" });
    const ends = await broker.admin.ends(topic);
    assertEquals(ends.reduce((sum, { high }) => sum + high, 0), 500);
    machine.assertWithin("script", ms, 10_000);
  },
});

Deno.test("naming a Kafka loads nothing of its client, and opening it needs no permission", async () => {
  const program = `
    import Module from "node:module";
    import { kafka } from ${JSON.stringify(SOURCE)};
    import { Monitor } from ${JSON.stringify(MONITOR)};
    const loaded = () => Object.keys(Module._cache).some((path) => path.includes("kafkajs"));
    const source = kafka({ brokers: ["a.example:9092"] });
    console.log(loaded());
    const broker = await source.open({ clientId: "script", monitor: new Monitor() });
    console.log(loaded(), broker.name);
  `;
  const { code, text } = await runProgram(program, []);
  assertEquals({ code, text }, { code: 0, text: "false\ntrue kafka://a.example:9092\n" });
});
