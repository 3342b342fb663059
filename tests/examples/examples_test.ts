/**
 * The examples do what their pages say. `quickstart_test.ts` tests the quickstart, `tests/kafka` tests it on a Kafka.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { deno } from "../../tasks/process.ts";
import { Child, CLI } from "../support/child.ts";

Deno.test("deno task demo shows a job retried and one dead-lettered, and ends by itself", async () => {
  const { code, stdout } = await deno(["task", "demo"]);
  const lines = stdout.trimEnd().split("\n").map((line) =>
    line.replace(/^[\d:.]{12} /, "").replace(/[\d.]+ ms/, "… ms").replace(/file:.*\//, "…/")
  );
  assertEquals(code, 0, stdout);
  assertEquals(lines.filter((line) => /Job/.test(line)), [
    "INFO  WelcomeJob from default/0@0: Welcome, user 1",
    "INFO  Performed WelcomeJob from default/0@0 in … ms",
    "WARN  FlakyJob from default/0@1 failed at attempt 1 (Error: The mail server is busy), next attempt in … ms",
    "    at FlakyJob.perform (…/demo.ts:16:35)",
    "INFO  FlakyJob from default/0@1: Passed at attempt 2",
    "INFO  Performed FlakyJob from default/0@1 in … ms",
    "WARN  BrokenJob from default/0@2 failed at attempt 1 (Error: This will never work), next attempt in … ms",
    "    at BrokenJob.perform (…/demo.ts:23:11)",
    "WARN  BrokenJob from default/0@2 failed at attempt 2 (Error: This will never work), next attempt in … ms",
    "    at BrokenJob.perform (…/demo.ts:23:11)",
    "WARN  BrokenJob from default/0@2 failed at attempt 3 (Error: This will never work), no attempt is left",
    "    at BrokenJob.perform (…/demo.ts:23:11)",
    "ERROR Dead-lettered BrokenJob from default/0@2 to dead_jobs/0@0 after 3 attempts (Error: This will never work)",
    "INFO  WelcomeJob from default/0@3: Welcome, user 2",
    "INFO  Performed WelcomeJob from default/0@3 in … ms",
  ]);
  assertEquals(lines.at(-1), "3 jobs were performed, 1 is in the dead letter topic");
});

Deno.test("examples/inheritance.ts shows each class's own options", async () => {
  const { code, stdout } = await deno(["run", "examples/inheritance.ts"]);
  assertEquals(code, 0);
  assertEquals(stdout.trimEnd().split("\n"), [
    'ShipOrderJob: {"dispatchMethod":"produceSync","dispatchManyMethod":"produceManySync"} and a key',
    'CountViewJob: {"dispatchMethod":"produceAsync","dispatchManyMethod":"produceManySync"}',
  ]);
});

Deno.test("examples/keys.ts runs keys side by side, each in order, and a failed job holds up only its own", async () => {
  const { code, stdout } = await deno(["run", "examples/keys.ts"]);
  assertEquals(code, 0, stdout);
  const lines = stdout.trimEnd().split("\n");
  const of = (customer: string) =>
    lines.filter((line) => line.startsWith(customer)).map((line) => line.slice(customer.length));
  assertEquals(of("Ada"), [": order", ": paid at attempt 2", ": ship"]);
  for (const customer of ["Ben", "Cleo"]) assertEquals(of(customer), [": order", ": paid at attempt 1", ": ship"]);
  assertMatch(lines.at(-1)!, /^9 jobs in one partition, up to [23] at once$/);
});

Deno.test("examples/current_attributes.ts performs each request's job for its user, and stops", async () => {
  await using child = new Child(["examples/current_attributes.ts"], {
    options: ["--no-prompt", "--allow-net=127.0.0.1,0.0.0.0", "--allow-env=PORT"],
    env: { PORT: "0" },
  });
  const port = /:(\d+)\//.exec(await child.line(/^Listening on /))![1];
  const responses = await Promise.all([7, 8].map(async (user) => {
    const response = await fetch(`http://127.0.0.1:${port}/page-${user}?user=${user}`);
    return await response.text();
  }));
  for (const response of responses) assertMatch(response, /^Enqueued [0-9a-f-]{36}\n$/);
  await child.line(/^User 7 looked at \/page-7$/);
  await child.line(/^User 8 looked at \/page-8$/);
  child.signal("SIGTERM");
  assertEquals((await child.ended()).code, 0);
});

Deno.test("examples/dead_letters.ts shows a job that fails for good, and its dead letter performed", async () => {
  const { code, stdout } = await deno(["run", "--no-prompt", "examples/dead_letters.ts"]);
  assertEquals(code, 0);
  assertEquals(stdout.trimEnd().split("\n"), [
    "Sent the invoice for order 1",
    "InvoiceJob failed 3 times (There is no price for ducks) and is at dead_jobs/0@0",
    "Sent the invoice for order 3",
    "Sent the invoice for order 2",
  ]);
});

Deno.test("examples/testing/ passes, and connects to nothing", async () => {
  await using child = new Child(["examples/testing/"], {
    command: "test",
    options: ["--no-prompt", "--allow-env=BROKER_URL"],
  });
  const { code, stdout } = await child.ended();
  assertEquals(code, 0, child.lines.join("\n"));
  assertMatch(stdout.join("\n"), /\nok \| 2 passed \| 0 failed/);
});

Deno.test("examples/web/: orders of two users at once are performed by another process, each as its user", async () => {
  const folder = await Deno.makeTempDir({ prefix: "activejob-kafka-" });
  try {
    const env = { PORT: "0", BROKER_URL: `sqlite:${folder}/jobs.db` };
    await using worker = new Child([CLI, "worker", "--app", "examples/web/app.ts"], { env });
    await using server = new Child(["examples/web/server.ts"], { env });
    await worker.line(/"event":"worker\.started"/);
    const port = /:(\d+)\//.exec(await server.line(/^Listening on /))![1];

    const order = async (userId: number, article: string) => {
      const url = `http://127.0.0.1:${port}/orders/${article}`;
      const response = await fetch(url, { method: "POST", headers: { "x-user": String(userId) } });
      return { status: response.status, ...await response.json() as { jobId: string; requestId: string } };
    };
    const responses = await Promise.all([order(7, "tea"), order(8, "coffee"), order(7, "milk"), order(9, "tea")]);
    const lines = await worker.count(/"event":"job\.log"/, responses.length);
    const seen = lines.map((line) => JSON.parse(line)).map(({ jobId, message, details }) => ({
      status: 202,
      jobId,
      requestId: details.requestId,
      text: message.replace(/^.*: /, ""),
    }));
    const expected = ["User 7 ordered tea", "User 8 ordered coffee", "User 7 ordered milk", "User 9 ordered tea"];
    const byId = (a: { jobId: string }, b: { jobId: string }) => a.jobId < b.jobId ? -1 : 1;
    assertEquals(
      seen.sort(byId),
      responses.map((response, index) => ({ ...response, text: expected[index]! })).sort(byId),
    );

    for (const child of [server, worker]) {
      child.signal("SIGTERM");
      assertEquals((await child.ended()).code, 0);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("examples/web/ has a dashboard below a path of Hono, and one of its own, with links that work", async () => {
  const folder = await Deno.makeTempDir({ prefix: "activejob-kafka-" });
  try {
    const env = { PORT: "0", BROKER_URL: `sqlite:${folder}/jobs.db` };
    for (const [example, path] of [["server", "/jobs"], ["server", "/jobs/"], ["dashboard", "/"]] as const) {
      await using server = new Child([`examples/web/${example}.ts`], { env });
      const port = /:(\d+)\//.exec(await server.line(/^Listening on /))![1];
      const ask = async (url: string, headers: Record<string, string> = { "x-user": "7" }) => {
        const response = await fetch(new URL(url, `http://127.0.0.1:${port}`), { headers });
        return [response.status, await response.text()] as const;
      };
      assertEquals((await ask(path, {}))[0], 403, "a request without a user");
      const [, page] = await ask(path);
      const links = Array.from(page.matchAll(/(?:href|src)="([^"#][^":]*)"/g), ([, link]) => link!);
      assertEquals(links.some((link) => link.endsWith("about")), true, page);
      for (const link of links) {
        assertEquals((await ask(new URL(link, `http://127.0.0.1:${port}${path}`).href))[0], 200, link);
      }
      server.signal("SIGTERM");
      assertEquals((await server.ended()).code, 0);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("examples/kafka.ts enqueues and performs through the quickstart's App, on a file as well", async () => {
  const folder = await Deno.makeTempDir({ prefix: "activejob-kafka-" });
  try {
    const env = { BROKER_URL: `sqlite:${folder}/jobs.db` };
    const { code, stdout } = await deno(["run", "-A", "examples/kafka.ts"], { env });
    assertEquals(code, 0, stdout);
    assertEquals(stdout.trimEnd().split("\n"), [
      `The broker is ${env.BROKER_URL}`,
      "Topic default: created",
      "Topic dead_jobs: created",
      "Topic dead_jobs_handled: created",
      "Topic shop_scheduled_jobs: created",
      "Topic shop_workers: created",
      "Topic shop_control: created",
      "Enqueued to partition 0 of default",
      "Performed",
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
