/** `sqlite(path)` before anything is opened, and how records without a key are spread. */
import { assert, assertEquals } from "@std/assert";
import { sqlite } from "../../../src/broker/sqlite/mod.ts";
import { Monitor } from "../../../src/monitor/monitor.ts";
import { openBroker, TemporaryFile } from "./harness.ts";
import { makeTopic, TOPIC } from "./member.ts";

Deno.test("sqlite: a relative path is resolved when the source is made, not when it is first used", async () => {
  const before = Deno.cwd();
  const [here, there] = [Deno.makeTempDirSync(), Deno.makeTempDirSync()];
  try {
    Deno.chdir(here);
    const source = sqlite("jobs.db");
    Deno.chdir(there);
    await using broker = await source.open({ clientId: "test", monitor: new Monitor() });
    await broker.connect();
    const names = (folder: string) =>
      [...Deno.readDirSync(folder)].map(({ name }) => name).filter((n) => n === "jobs.db");
    assertEquals([names(here), names(there), source.name], [["jobs.db"], [], "sqlite:jobs.db"]);
  } finally {
    Deno.chdir(before);
    for (const folder of [here, there]) Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("sqlite: processes that append one record without a key each use all partitions", async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path, 4);
  const used = new Set<number>();
  // With a random start, 100 of them miss a partition once in 10^12 runs.
  for (let client = 0; client < 100; client++) {
    await using broker = openBroker(file.path);
    const [outcome] = await broker.append(TOPIC, [{ value: "x" }]);
    assert(outcome?.ok);
    used.add(outcome.position.partition);
  }
  assertEquals([...used].sort(), [0, 1, 2, 3]);
});
