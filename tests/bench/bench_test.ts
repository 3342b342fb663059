/** `deno task bench`, and the queues that need no server: programs run, and the report has their figures. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Peers } from "../../bench/peers.ts";
import { interleaved, runOnce } from "../../bench/rounds.ts";
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

for (const kind of ["ours", "deno_kv"]) {
  Deno.test(`queue "${kind}" performs each job that another process enqueued`, async () => {
    await using folder = await Folder.create({});
    const name = kind === "ours" ? "bench" : `${folder.path}/kv.db`;
    const broker = `sqlite:${folder.path}/ours.db`;
    // The second program ends only after it has performed all 50.
    const results = await interleaved(1, {
      enqueue: { program: "queue_enqueue", args: [kind, name, 50], broker },
      perform: { program: "queue_perform", args: [kind, name, 50], broker },
    });
    for (const { perSecond } of Object.values(results)) assertEquals(perSecond!.length, 1);
  });
}

Deno.test("interleaved() runs each program once a round, with the arguments and the broker of the round", async () => {
  await using folder = await Folder.create({});
  const rounds: number[] = [];
  const { enqueue } = await interleaved(2, {
    enqueue: {
      program: "queue_enqueue",
      args: (round) => {
        rounds.push(round);
        return ["ours", `topic${round}`, 1];
      },
      broker: (round) => `sqlite:${folder.path}/${round}.db`,
    },
  });
  assertEquals(rounds, [0, 1]);
  assertEquals(enqueue.perSecond!.length, 2);
  assertEquals(
    Array.from(Deno.readDirSync(folder.path), ({ name }) => name).filter((name) => /^\d\.db$/.test(name)).sort(),
    [
      "0.db",
      "1.db",
    ],
  );
});

Deno.test("a program that fails rejects with the end of its standard error", async () => {
  const error = await assertRejects(() => runOnce({ program: "queue_enqueue", args: ["nothing", "name", 1] }), Error);
  assertStringIncludes(error.message, "queue_enqueue ended with 1: ");
  assertStringIncludes(error.message, "queues/nothing.ts");
});

Deno.test("a peer whose server has no address is not at hand, and is not loaded", async () => {
  for (const name of ["REDIS_URL", "POSTGRES_URL"]) Deno.env.delete(name);
  const peers = new Peers();
  const states = await peers.all();
  assertEquals(states.map(({ name, missing }) => [name, missing]), [
    ["BullMQ", "REDIS_URL is not set"],
    ["graphile-worker", "POSTGRES_URL is not set"],
    ["pg-boss", "POSTGRES_URL is not set"],
  ]);
  assertEquals(await peers.servers(), []);
});
