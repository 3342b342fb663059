/** The examples that need no Kafka do what their pages say. `tests/kafka/quickstart_test.ts` has the quickstart. */
import { assertEquals, assertMatch } from "@std/assert";
import { deno } from "../../tasks/process.ts";
import { Child } from "../child.ts";

Deno.test("deno task demo shows a job retried and one dead-lettered, and ends by itself", async () => {
  const { code, stdout } = await deno(["task", "demo"]);
  const lines = stdout.trimEnd().split("\n").map((line) =>
    line.replace(/^[\d:.]{12} /, "").replace(/[\d.]+ ms/, "… ms")
  );
  assertEquals(code, 0, stdout);
  assertEquals(lines.filter((line) => /Job/.test(line)), [
    "INFO  WelcomeJob from default/0@0: Welcome, user 1",
    "INFO  Performed WelcomeJob from default/0@0 in … ms",
    "WARN  FlakyJob from default/0@1 failed at attempt 1 (Error: The mail server is busy), next try in … ms",
    "INFO  FlakyJob from default/0@1: Passed at attempt 2",
    "INFO  Performed FlakyJob from default/0@1 in … ms",
    "WARN  BrokenJob from default/0@2 failed at attempt 1 (Error: This will never work), next try in … ms",
    "WARN  BrokenJob from default/0@2 failed at attempt 2 (Error: This will never work), next try in … ms",
    "WARN  BrokenJob from default/0@2 failed at attempt 3 (Error: This will never work), no try is left",
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

Deno.test("examples/current_attributes.ts performs each request's job for its user, and stops", async () => {
  await using child = new Child(["examples/current_attributes.ts"], {
    options: ["--no-prompt", "--allow-net=127.0.0.1,0.0.0.0", "--allow-env=PORT"],
    env: { PORT: "0" },
  });
  const port = /:(\d+)\//.exec(await child.line(/^Listening on /))![1];
  const answers = await Promise.all([7, 8].map(async (user) => {
    const response = await fetch(`http://127.0.0.1:${port}/page-${user}?user=${user}`);
    return await response.text();
  }));
  for (const answer of answers) assertMatch(answer, /^Enqueued [0-9a-f-]{36}\n$/);
  await child.line(/^User 7 looked at \/page-7$/);
  await child.line(/^User 8 looked at \/page-8$/);
  child.signal("SIGTERM");
  assertEquals((await child.ended()).code, 0);
});
