/** `deno task bench`: the report has the figures of the benches that the command line names. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { deno } from "../../tasks/process.ts";
import { Folder } from "../support/folder.ts";

Deno.test("a bench prints its figures, and writes them as JSON and as Markdown", async () => {
  await using folder = await Folder.create({});
  const [json, markdown] = [`${folder.path}/report.json`, `${folder.path}/report.md`];
  const args = ["sqlite_produce", "--rounds=1", "--jobs=100", "--payloads=0.3,3"];
  const { code, stdout, stderr } = await deno([
    ...["run", "-A", "--no-check", "bench/mod.ts", "short", ...args],
    ...[`--json=${json}`, `--markdown=${markdown}`],
  ]);
  assertEquals(code, 0, stderr);
  const { conditions, figures } = JSON.parse(await Deno.readTextFile(json));
  assertEquals(figures.map(({ figure }: { figure: string }) => figure), [
    "SQLite: `produceSync`, awaited, 0.3 KB",
    "SQLite: `produceSync`, awaited, 3 KB",
    "SQLite: `performLater`, not awaited",
  ]);
  for (const { ours, base, ratio } of figures) {
    assert(ours > 0);
    assert(base > 0);
    assertEquals(ratio, ours / base);
  }
  assertEquals([conditions.rounds, conditions.servers], ["1", "none"]);
  for (const text of [stdout, await Deno.readTextFile(markdown)]) {
    assertStringIncludes(text, "SQLite: `produceSync`, awaited, 0.3 KB");
  }
});

Deno.test("a bench that is unknown ends the command with 2", async () => {
  const { code, stderr } = await deno(["run", "-A", "--no-check", "bench/mod.ts", "nothing"]);
  assertEquals([code, stderr.includes('No bench is called "nothing"')], [2, true]);
});

Deno.test("a bench that cannot be measured fails the command, after the others", async () => {
  await using folder = await Folder.create({});
  const json = `${folder.path}/report.json`;
  // An envelope does not fit into so few bytes.
  const args = ["short", "sqlite_produce", "start", "--payloads=0.1", `--json=${json}`];
  const { code, stderr } = await deno(["run", "-A", "--no-check", "bench/mod.ts", ...args]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "FAILED: sqlite_produce Error: sqlite_produce_bare ended with 1");
  const { figures } = JSON.parse(await Deno.readTextFile(json));
  assertEquals(figures.length, 3);
});
