/** The quickstart, and the command line, on a real Kafka: one process enqueues, another one performs. */
import { assertEquals, assertMatch } from "@std/assert";
import { Child, CLI, cli } from "../support/child.ts";
import { brokers } from "../support/kafka/cluster.ts";

const APP = "examples/quickstart/app.ts";

/** The flags that the worker itself says it needs, and no others. */
async function permissions(env: Record<string, string> = {}): Promise<string[]> {
  const { code, stdout, stderr } = await cli(["worker", "--app", APP, "--print-permissions"], { env });
  assertEquals(code, 0, stderr.join("\n"));
  assertEquals(stdout.length, 1);
  return ["--no-prompt", ...stdout[0]!.split(" ")];
}

Deno.test("the quickstart: a worker creates its topics and performs what other processes enqueue", async () => {
  // Numbers that no earlier run has used on this Kafka.
  const [first, second] = crypto.getRandomValues(new Uint32Array(2));
  await using worker = new Child([CLI, "worker", "--app", APP, "--create-topics"], {
    options: await permissions(),
  });
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
  assertEquals(applied.stdout, [
    "default: unchanged",
    "dead_jobs: unchanged",
    "dead_jobs_handled: unchanged",
    "shop_scheduled_jobs: unchanged",
    "shop_workers: unchanged",
  ]);
});

Deno.test("examples/kafka.ts does on a Kafka what it does on a file", async () => {
  await using child = new Child(["examples/kafka.ts"]);
  const { code, stdout } = await child.ended();
  assertEquals(code, 0);
  const [broker, ...rest] = stdout.map((line) =>
    line.replace(/(Topic .*: )(?:created|unchanged)|partition \d+/, "$1…")
  );
  assertEquals(broker, `The broker is kafka://${brokers.join(",")}`);
  assertEquals(rest, [
    "Topic default: …",
    "Topic dead_jobs: …",
    "Topic dead_jobs_handled: …",
    "Topic shop_scheduled_jobs: …",
    "Topic shop_workers: …",
    "Enqueued to … of default",
    "Performed",
  ]);
});

Deno.test("what a worker on Kafka says it needs: the brokers, and the variable that the App reads", async () => {
  const [net, env, read, ...rest] = (await permissions({ BROKER_URL: "kafka://a.example,b.example:9093" })).slice(1);
  assertEquals(net, "--allow-net=a.example:9092,b.example:9093");
  assertEquals(env, "--allow-env=BROKER_URL");
  assertEquals([read, rest], ["--allow-read=examples,mod.ts,src", []]);
});

Deno.test("a worker that may not connect to where the cluster says its brokers are says so at once, and exits with 1", async () => {
  const broker = brokers[0]!;
  assertEquals((await cli(["topics", "apply", "--app", APP])).code, 0);
  await using way = passage(broker);
  const env = { BROKER_URL: `kafka://${way.broker}` };
  await using worker = new Child([CLI, "worker", "--app", APP], { options: await permissions(env), env });
  const { code, stderr } = await worker.ended();
  assertEquals(
    stderr.at(-1),
    `error: Cannot be a member of group "shop": ${broker}: the process may not connect: ` +
      `allow it with --allow-net=${broker} (the brokers of a cluster are found at the addresses that the cluster advertises)`,
  );
  assertEquals(code, 1);
});

/** A second address for a broker, which knows nothing of it. */
function passage(to: string): { broker: string } & AsyncDisposable {
  const [hostname, port] = to.split(":") as [string, string];
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const pipe = async (client: Deno.Conn) => {
    const server = await Deno.connect({ hostname, port: Number(port) });
    const ways = [client.readable.pipeTo(server.writable), server.readable.pipeTo(client.writable)];
    await Promise.allSettled(ways);
  };
  const running = (async () => {
    const pipes: Promise<void>[] = [];
    for await (const client of listener) pipes.push(pipe(client));
    await Promise.all(pipes);
  })();
  return {
    broker: `127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await running;
    },
  };
}

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
