/** Every snippet of `README.md` and `docs/` does what its page says, and the runner notices one that does not. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { filesUnder, root } from "../../tasks/process.ts";
import { type Block, blocksOf, openPlayground, shows } from "./snippets.ts";

/** Paths of the pages for users. `architecture.md` has no code. */
const PAGES: ReadonlyMap<string, readonly Block[]> = new Map(
  ["README.md", ...filesUnder("docs/", ".md")].map((
    page,
  ) => [page, blocksOf(Deno.readTextFileSync(new URL(page, root)))]),
);

/** Commands that cannot run in a test: they need JSR, Docker, a cluster, or a Kafka of their own, or never end. */
const CANNOT_RUN =
  /^(npx jsr add |node node_modules\/|deno add |deno run --watch |deno run .*jsr:|deno install .*jsr:|docker |git clone |kubectl |curl |kill |deno run .* worker --app \S+$|deno task (kafka start|dev|topics|worker|enqueue|test|bench( .*)?)$|export BROKER_URL=)/;

Deno.test("every snippet of README.md and docs/ runs and prints what its page shows", async (t) => {
  await using playground = await openPlayground();
  for (const [page, blocks] of PAGES) {
    const folder = await playground.folder(page.replace(/\W/g, "_"));
    for (const block of blocks) {
      if (block.notRun !== null && block.language !== "ts") continue;
      await t.step(`${page}:${block.line}`, () => folder.run(block));
    }
  }
  await t.step("all of them have the right types", () => playground.check());
  await t.step("those that print nothing run, too", () => playground.load());
});

Deno.test("README.md and docs/ leave out only commands that cannot run anywhere", () => {
  for (const [page, blocks] of PAGES) {
    for (const { language, line, text, notRun } of blocks) {
      if (notRun === null || language === "ts") continue;
      assertEquals(language, "sh", `${page}:${line}`);
      for (const command of text.trim().split("\n")) assertMatch(command, CANNOT_RUN, `${page}:${line}`);
    }
  }
});

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

Deno.test("Playground runs files that import each other and the library, and fails where the page is wrong", async () => {
  await using playground = await openPlayground();
  const run = (language: "ts" | "sh" | "console", text: string, output: string | null = null) =>
    playground.run({ language, line: 1, text, output, notRun: null });
  await run("ts", "// lib/one.ts\nexport const one: number = 1;");
  await run("ts", `import "@activejob/kafka";\nimport { one } from "./lib/one.ts";\nconsole.log(one);`, "1\n");
  await run("sh", `printf '%s' "$BROKER_URL"`, "");
  await run("console", "$ echo a\na\n$ echo b >&2\nb\n");
  await assertRejects(() => run("ts", "// fails.ts\nthrow new Error();", ""), Error, "exit code 1");
  await assertRejects(() => run("ts", "// two.ts\nconsole.log(2);", "1\n"), Error, "printed something else");
  await assertRejects(() => run("sh", "false\necho"), Error, "exit code 1");
  await assertRejects(() => run("console", "$ echo a\nb\n"), Error, "printed something else");
  await assertRejects(() => run("console", "$ echo a\n"), Error, "printed something else");
  await assertRejects(() => run("console", "echo a\n"), Error, 'must begin with "$ "');
});

Deno.test("Playground checks the types of all files, and loads those that print nothing, also below", async () => {
  await using playground = await openPlayground();
  const page = await playground.folder("page");
  const show = (text: string, notRun: string | null = null) =>
    page.run({ language: "ts", line: 1, text, output: null, notRun });
  await show('// served.ts\nthrow new Error("not run");', "serves until it is stopped");
  await show('// good.ts\nDeno.writeTextFileSync("loaded", "");\nexport const one: number = 1;');
  await playground.load();
  await page.run({ language: "console", line: 1, text: "$ ls ../loaded\n../loaded\n", output: null, notRun: null });
  await show("// bad.ts\nexport const one: string = 1;");
  await assertRejects(() => playground.check(), Error, "page/bad.ts");
  await assertRejects(() => show("// bad.ts\n"), Error, "deno check");
  await show('// throws.ts\nthrow new Error("at load");');
  await assertRejects(() => playground.load(), Error, "page/throws.ts");
});
