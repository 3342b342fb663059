/** The quickstart, and the command line, on a real Kafka: one process enqueues, another one performs. */
import { assertEquals, assertMatch } from "@std/assert";
import { Child, CLI, cli } from "../child.ts";

const APP = "examples/quickstart/app.ts";

/** What a worker on Kafka needs: its brokers, the variables that kafkajs looks at, and its own modules. */
const PERMISSIONS = [
  "--no-prompt",
  "--allow-net=127.0.0.1",
  "--allow-env=BROKER_URL,NODE_ENV,KAFKAJS_LOG_LEVEL,KAFKAJS_DEBUG_PROTOCOL_BUFFERS,KAFKAJS_DEBUG_EXTENDED_PROTOCOL_BUFFERS",
  "--allow-read=.",
];

Deno.test("the quickstart: a worker creates its topics and performs what other processes enqueue", async () => {
  // Numbers that no earlier run has used on this Kafka.
  const [first, second] = crypto.getRandomValues(new Uint32Array(2));
  await using worker = new Child([CLI, "worker", "--app", APP, "--create-topics"], { options: PERMISSIONS });
  await worker.line(/"event":"worker\.started"/);

  await using script = new Child(["examples/quickstart/enqueue.ts", String(first)]);
  const enqueued = await script.ended();
  assertMatch(enqueued.stdout.join("\n"), /^Enqueued WelcomeJob [0-9a-f-]{36} to default\/\d+@\d+$/);
  assertEquals(enqueued.code, 0);
  const { code, stdout } = await cli(["enqueue", "--app", APP, "WelcomeJob", `[${second}]`]);
  assertMatch(stdout.join("\n"), /^default\/\d+@\d+$/);
  assertEquals(code, 0);

  const welcome = async (userId: number) => JSON.parse(await worker.line(new RegExp(`Welcome, user ${userId}"`)));
  assertEquals((await welcome(first!)).details, { note: "from another process", asked: 1 });
  assertEquals((await welcome(second!)).details, { note: "" });
  worker.signal("SIGTERM");
  assertEquals((await worker.ended()).code, 0);

  const applied = await cli(["topics", "apply", "--app", APP]);
  assertEquals(applied.stdout, ["default: unchanged", "dead_jobs: unchanged"]);
});

Deno.test("a worker whose topic is missing says how to create it, and exits with 1", async () => {
  const name = `missing-${crypto.randomUUID()}`;
  const app = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      app,
      `import { activeJobTopic, App } from "${new URL("../../mod.ts", import.meta.url)}";
       const broker = Deno.env.get("BROKER_URL")!;
       export default new App({ name: "missing", broker, jobs: [], topics: [activeJobTopic("${name}")], logger: false });`,
    );
    const { code, stderr } = await cli(["worker", "--app", app]);
    assertEquals(stderr, [
      `error: The broker has no topic "${name}": create it with "topics apply", or start the worker with --create-topics`,
    ]);
    assertEquals(code, 1);
  } finally {
    await Deno.remove(app);
  }
});
