/** Programs of the bench, run in turn, and the queues that need no server. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { interleaved, runOnce } from "../../bench/rounds.ts";
import { Folder } from "../support/folder.ts";

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
