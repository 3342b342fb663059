/** `init` on a disk: its output, and the files that it completes. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { EXIT } from "../../src/cli/exit_codes.ts";
import { cli } from "../support/child.ts";
import { Folder, normalizeActions } from "../support/folder.ts";

Deno.test("init completes a folder with a deno.json and a .gitignore, and prints the entries that it keeps", async () => {
  await using project = await Folder.create({
    "my shop/deno.jsonc": '{\n  // ours\n  "tasks": {\n    "test": "deno test -A"\n  }\n}\n',
    "my shop/.gitignore": "node_modules",
  });
  const { code, stdout } = await project.run("init", "my shop");
  assertEquals(code, EXIT.ok);
  assertEquals(normalizeActions(stdout).slice(0, 2), ["insert deno.jsonc", "insert .gitignore"]);
  assertEquals(
    stdout.find((line) => line.startsWith("note: ")),
    'note: deno.jsonc has tasks "test" already: it is left as it is',
  );
  assertEquals(stdout.slice(stdout.indexOf("Next:")), [
    "Next:",
    "  cd 'my shop'",
    "  deno task dev     # performs jobs, and restarts when you edit one; in another terminal:",
    "  deno task enqueue",
    "  deno test --allow-env=BROKER_URL",
    "  deno task generate job admin/refresh",
  ]);
  const files = project.files();
  assertEquals(files["my shop/.gitignore"], "node_modules\njobs.db*\n");
  assertMatch(files["my shop/deno.jsonc"]!, /^{\n {2}\/\/ ours\n {2}"tasks": {\n {4}"test": "deno test -A",\n/);
  assertStringIncludes(files["my shop/app.ts"]!, 'name: "my-shop",');
  assertStringIncludes(files["my shop/app.ts"]!, 'queuePrefix: "my-shop",');

  const again = await project.run("init", "my shop");
  assertEquals(
    normalizeActions(again.stdout).slice(0, 9).map((line) => line.split(" ")[0]),
    Array(8).fill("identical").concat("note:"),
  );
  assertEquals(project.files(), files);
  await Deno.writeTextFile(`${project.path}/my shop/app.ts`, "// mine\n");
  await Deno.remove(`${project.path}/my shop/enqueue.ts`);
  const refused = await project.run("init", "my shop");
  assertMatch(
    refused.stderr[0]!,
    /^error: "app\.ts" exists and differs: nothing was written; --skip keeps existing files/,
  );
  assertEquals(project.files()["my shop/enqueue.ts"], undefined);
  const skipped = await project.run("init", "my shop", "--skip");
  assertEquals(normalizeActions(skipped.stdout).filter((line) => /^(skip|create) /.test(line)), [
    "skip app.ts",
    "create enqueue.ts",
  ]);
  assertEquals(skipped.code, EXIT.ok);
  assertEquals(project.files(), { ...files, "my shop/app.ts": "// mine\n" });
  const both = await project.run("init", "my shop", "--skip", "--force");
  assertEquals(
    both.stderr[0],
    'error: Option "--force" overwrites files that differ, and "--skip" keeps them: use one of them',
  );
  const more = await project.run("init", "a", "b");
  assertEquals(more.stderr[0], 'error: "init" takes one directory, but it is given "a" "b"');
});

Deno.test("init prints whole command lines where another task has the name", async () => {
  await using project = await Folder.create({ "deno.json": '{ "tasks": { "dev": "vite", "generate": "make" } }\n' });
  const { stdout } = await project.run("init");
  await using fresh = await Folder.create({});
  await fresh.run("init");
  const { tasks } = JSON.parse(fresh.files()["deno.json"]!);
  assertEquals(stdout.slice(stdout.indexOf("Next:") + 1), [
    `  ${tasks.dev}     # performs jobs, and restarts when you edit one; in another terminal:`,
    "  deno task enqueue",
    "  deno task test",
    `  ${tasks.generate} job admin/refresh`,
  ]);
});

Deno.test("init of a folder whose name has no plain form uses another name, and prints a note", async () => {
  await using project = await Folder.create({});
  const { stdout } = await project.run("init", "日本");
  assertEquals(
    stdout.find((line) => line.startsWith("note: ")),
    'note: "日本" cannot be a client id and a prefix of topics: app.ts has "app", change it before you use a Kafka',
  );
  assertStringIncludes(project.files()["日本/app.ts"]!, 'name: "app",');
});

Deno.test("init has a help page with flags", async () => {
  const { stdout } = await cli(["help", "init"]);
  assertMatch(
    stdout.join("\n"),
    /\nUsage:\n.* init \[options\] \[directory\]\n[^]*\n {2}--force .*\n {2}--skip .*\n {2}--dry-run .*\n/,
  );
});
