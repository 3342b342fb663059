/** Every snippet of the pages does what the page says. And the runner behind this notices one that does not. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { blocksOf, openPlayground, shows } from "./snippets.ts";

/** The pages, by name. */
const PAGES = await Promise.all(
  ["README.md", "docs/getting_started.md"].map(async (name) =>
    [name, await Deno.readTextFile(new URL(`../../${name}`, import.meta.url))] as const
  ),
);

/** The commands that cannot be tried here: they need JSR, Docker, or a Kafka of their own, or would never end. */
const CANNOT_RUN = /^(deno add |deno run -A jsr:|docker run |git clone |deno task (kafka start|worker|enqueue|test)$)/;

for (const [name, page] of PAGES) {
  Deno.test(`${name}: every snippet runs and prints what the page shows`, async (t) => {
    const blocks = blocksOf(page).filter(({ notRun }) => notRun === null);
    assert(blocks.length > 0);
    await using playground = await openPlayground();
    for (const block of blocks) await t.step(`line ${block.line}`, () => playground.run(block));
  });

  Deno.test(`${name}: only what cannot run anywhere is left out`, () => {
    for (const { language, line, text, notRun } of blocksOf(page)) {
      if (notRun === null) continue;
      assertEquals(language, "sh", `line ${line}`);
      for (const command of text.trim().split("\n")) assertMatch(command, CANNOT_RUN, `line ${line}`);
    }
  });
}

Deno.test("blocksOf() finds what can be executed, with its output and the reason not to", () => {
  const page = [
    ...["# Page", "```ts", "// a.ts", "console.log(1);", "```", "", "```text", "1", "```"],
    ...["```json", "{}", "```", "<!-- not run: needs Docker -->", "", "```sh", "docker run x", "```"],
    ...["Words", "```text", "no output of that", "```", "```console", "$ echo 1", "1", "```"],
  ].join("\n");
  assertEquals(blocksOf(page), [
    { language: "ts", line: 2, text: "// a.ts\nconsole.log(1);\n", output: "1\n", notRun: null },
    { language: "sh", line: 15, text: "docker run x\n", output: null, notRun: "needs Docker" },
    { language: "console", line: 22, text: "$ echo 1\n1\n", output: null, notRun: null },
  ]);
});

Deno.test("shows() reads … as any part of a line, and alone as any lines", () => {
  assert(shows("done in … ms\n", "done in 12 ms\n"));
  assert(shows("a\n…\nz\n", "a\nb\nc\nz\n"));
  assert(shows("a\n…\nz\n", "a\nz\n"));
  assert(shows("", ""));
  assert(!shows("", "a\n"));
  assert(!shows("a", "b\n"));
  assert(!shows("a\n", "a\nb\n"));
  assert(!shows("a.b\n", "axb\n"));
  assert(!shows("done in … ms\n", "done in 12 s\n"));
});

Deno.test("run() runs files that import each other and the library, and fails where the page is wrong", async () => {
  await using playground = await openPlayground();
  const run = (language: "ts" | "sh" | "console", text: string, output: string | null = null) =>
    playground.run({ language, line: 1, text, output, notRun: null });
  await run("ts", "// lib/one.ts\nexport const one: number = 1;");
  await run("ts", `import "@activejob/kafka";\nimport { one } from "./lib/one.ts";\nconsole.log(one);`, "1\n");
  await run("sh", `printf '%s' "$BROKER_URL"`, "");
  await run("console", "$ echo a\na\n$ echo b >&2\nb\n");
  await assertRejects(() => run("ts", `const one: string = 1; console.log(one);`), Error, "exit code 1");
  await assertRejects(() => run("ts", `console.log(2);`, "1\n"), Error, "printed something else");
  await assertRejects(() => run("sh", "false\necho"), Error, "exit code 1");
  await assertRejects(() => run("console", "$ echo a\nb\n"), Error, "printed something else");
  await assertRejects(() => run("console", "$ echo a\n"), Error, "printed something else");
  await assertRejects(() => run("console", "echo a\n"), Error, 'must begin with "$ "');
});
