/** A program without the permissions of its broker gets one sentence, which names every flag. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { root } from "../../tasks/process.ts";
import { asMissingPermission, MissingPermissionError } from "../../src/broker/missing_permission.ts";
import { BrokerError } from "../../src/errors.ts";
import { Child, type ChildEnd } from "../support/child.ts";
import { Folder } from "../support/folder.ts";

const DENIED = new Error('Requires env access to "X", run again with the --allow-env flag');

Deno.test("asMissingPermission() names every flag once, whatever wraps the refusal", () => {
  const needed = { net: [], env: ["X", "Y"] };
  const inner = asMissingPermission("Cannot ask", new Error("wrapped", { cause: DENIED }), needed)!;
  const sentence = 'this process lacks a permission (Requires env access to "X"); its broker needs --allow-net ' +
    '--allow-env=X,Y; "worker --print-permissions" prints all that an App needs';
  assertEquals(inner.message, `Cannot ask: ${sentence}`);
  const outer = asMissingPermission("Cannot append", inner, needed)!;
  assertEquals(outer.message, `Cannot append: ${sentence}`);
  assertEquals([outer instanceof BrokerError, outer.name, outer.cause], [true, "BrokerError", undefined]);
  assertEquals(outer.stack, `BrokerError: ${outer.message}`);
  assertEquals(asMissingPermission("Cannot ask", new Error("other"), needed), null);
  assertEquals(new MissingPermissionError("a", "b").message, "a: b");
});

const PROGRAM = (broker: string) => `
  import { activeJobTopic, App, Job } from "${new URL("mod.ts", root)}";
  class AJob extends Job {
    static kafkaOptions = { dispatchMethod: "produceSync" };
    perform() {}
  }
  new App({ name: "a", broker: "${broker}", jobs: [AJob], topics: [activeJobTopic("default")], logger: false });
  await AJob.performLater();`;

async function run(broker: string, options: readonly string[]): Promise<ChildEnd> {
  await using folder = await Folder.create({ "main.js": PROGRAM(broker) });
  await using child = new Child(["main.js"], { cwd: folder.path, options: ["--no-prompt", ...options] });
  return await child.ended();
}

const ON_FILE = /needs --allow-read=\S+\/jobs\.db,\S+\/jobs\.db-wal,\S+\/jobs\.db-shm --allow-write=\S+\/jobs\.db;/;

/** Programs that lack a permission, and the flags that the error names. */
const PROGRAMS: readonly (readonly [broker: string, options: readonly string[], flags: RegExp])[] = [
  ["sqlite:jobs.db", [], ON_FILE],
  ["sqlite:jobs.db", ["--allow-read"], ON_FILE],
  ["sqlite:jobs.db", ["--allow-read=jobs.db", "--allow-write=jobs.db"], ON_FILE],
  ["kafka://127.0.0.1:1", [], /allow it with --allow-net=127\.0\.0\.1:1/],
  ["kafka://127.0.0.1:1", ["--allow-net=127.0.0.1:2"], /allow it with --allow-net=127\.0\.0\.1:1/],
];

for (const [broker, options, flags] of PROGRAMS) {
  Deno.test(`a program on ${broker} with ${options.join(" ") || "no permission"} gets one sentence with the flags`, async () => {
    const { code, stderr } = await run(broker, options);
    assertEquals(code, 1);
    const errors = stderr.filter((line) => /^(error: |Caused by: )/.test(line));
    assertEquals(errors.length, 2, stderr.join("\n"));
    assertStringIncludes(errors[0]!, "EnqueueError: Cannot enqueue AJob: ");
    assertMatch(errors[0]!, flags);
    // The stack has only the line that enqueued the job, not the errors within the client.
    assertEquals(stderr.filter((line) => /\/broker\/|kafkajs|ext:deno_os/.test(line)), [], stderr.join("\n"));
  });
}
