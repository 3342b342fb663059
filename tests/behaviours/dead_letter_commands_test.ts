/** Dead letters from the command line: each command is a process of its own. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { EXIT } from "../../src/cli/exit_codes.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { Child, type ChildEnd, CLI, cli } from "../support/child.ts";
import { asString, until, type World } from "../support/behaviours/world.ts";

behaviour(
  "D8: from the command line dead letters are listed, requeued one by one, by class and by time, and performed again by their own class; a second requeue is refused unless forced",
  { on: ["sqlite", "kafka"], because: "a memory log ends with its process" },
  async (world) => {
    const run = async (words: string, env: Record<string, string> = {}) => {
      const [command, ...rest] = words.split(" ");
      const ended = await cli([command!, "--app", "tests/cli/apps/dead.ts", ...rest], {
        env: { DEAD_BROKER: world.url, DEAD_NAME: world.group, ...env },
      });
      // A command that takes longer than a second, as on a busy machine, shows its progress.
      const errors = ended.stderr.filter((line) => !line.endsWith("; Ctrl-C stops")).join("\n");
      return { code: ended.code, lines: ended.stdout, errors };
    };
    const dead = world.topic("dead_jobs");
    assertEquals((await run("topics apply")).code, EXIT.ok);
    for (const to of ["ada", "bob", "eve"]) await run(`enqueue MailJob ["${to}","hidden"]`);
    assertEquals((await run("worker --once")).code, EXIT.ok);

    const listed = JSON.parse((await run("dlq list --json --limit 10")).lines.join(""));
    assertEquals(listed.map(({ errorMessage }: { errorMessage: string }) => errorMessage).sort(), [
      "no ada",
      "no bob",
      "no eve",
    ]);
    const [{ partition, offset, errorMessage }] = listed;
    const position = `${dead}/${partition}@${offset}`;

    const one = await run(`dlq requeue ${position} --by ada`);
    assertEquals([one.code, one.lines], [EXIT.ok, ["requeued 1, refused 0"]], one.errors);
    const again = await run(`dlq requeue ${position}`);
    assertEquals([again.code, again.lines], [EXIT.failed, ["requeued 0, refused 1"]]);
    assertMatch(again.errors, new RegExp(`refused ${position}: it was requeued by ada at 20`));
    const waiting = JSON.parse((await run("dlq list --unhandled --json")).lines.join(""));
    assertEquals(waiting.map(({ handled }: { handled: unknown }) => handled), [null, null]);
    const dry = await run("dlq requeue dead_jobs --class MailJob --dry-run --json");
    assertEquals(JSON.parse(dry.lines[0]!), { requeued: 2, refused: 1, dryRun: true, stopped: false });
    assertEquals((await run("dlq requeue --class MailJob --since 1h")).lines, ["requeued 2, refused 1"]);

    const to = errorMessage.slice("no ".length);
    const performed = (lines: string[]) => lines.filter((line) => line.startsWith("mail to")).sort();
    assertEquals(performed((await run("worker --once", { IS_FIXED: "1" })).lines), [
      "mail to ada at attempt 1",
      "mail to bob at attempt 1",
      "mail to eve at attempt 1",
    ]);
    assertEquals((await run(`dlq requeue ${position} --force`)).lines, ["requeued 1, refused 0"]);
    assertEquals(performed((await run("worker --once", { IS_FIXED: "1" })).lines), [`mail to ${to} at attempt 1`]);
    const all = await run("dlq requeue --all");
    assertEquals([all.lines, all.errors], [
      ["requeued 0, refused 3"],
      "note: handled before: 3; --force handles them again",
    ]);
  },
);

const LETTERS = 20_000;

/** A machine that pauses at the wrong moment lets a call end before its signal: then more letters are written. */
const MAX_CALLS = 5;

/** Writes dead letters of MailJob, numbered from a number on. */
async function writeLetters(world: World, first: number): Promise<void> {
  const bytes = (text: unknown) => new TextEncoder().encode(String(text));
  const headers = Object.entries({ topic: world.topic(), partition: 0, offset: 0 })
    .map(([name, value]) => [`dead-letter-${name}`, bytes(value)] as const);
  for (let from = first; from < first + LETTERS; from += 1000) {
    const numbers = Array.from({ length: 1000 }, (_, n) => from + n);
    await world.append(
      numbers.map((n) => ({ value: JSON.stringify({ job_class: "MailJob", arguments: [n] }), headers })),
      "dead_jobs",
    );
  }
}

/** Starts a requeue of all letters, and sends it a signal once some are requeued. @returns its end */
async function interrupt(world: World, signal: Deno.Signal, env: Record<string, string>) {
  const sizeOf = async () => (await world.client.admin.ends(world.topic())).reduce((sum, { high }) => sum + high, 0);
  const before = await sizeOf();
  await using child = new Child([CLI, "dlq", "requeue", "--app", "tests/cli/apps/dead.ts", "--all"], { env });
  await until(
    async () => await sizeOf() > before,
    () => "a requeue",
  );
  child.signal(signal);
  return await child.ended();
}

/** The number of times that each letter is in the topic of the jobs. */
async function countRequeued(world: World, letters: number): Promise<number[]> {
  const counts: number[] = Array(letters).fill(0);
  for (const { value } of await world.records()) counts[JSON.parse(asString(value)!).arguments[0]]!++;
  return counts;
}

for (const signal of ["SIGKILL", "SIGINT"] as const) {
  behaviour(
    `D8: a requeue that is ended by ${signal} loses no dead letter: a second one requeues the rest, and at most 2,000 twice`,
    { on: ["sqlite", "kafka"], because: "a memory log ends with its process" },
    async (world) => {
      const env = { DEAD_BROKER: world.url, DEAD_NAME: world.group };
      assertEquals((await cli(["topics", "apply", "--app", "tests/cli/apps/dead.ts"], { env })).code, EXIT.ok);
      let ended: ChildEnd;
      let letters = 0;
      let earlier: number;
      let before = 0;
      do {
        earlier = letters;
        await writeLetters(world, earlier);
        letters += LETTERS;
        ended = await interrupt(world, signal, env);
        before = (await countRequeued(world, letters)).filter((count) => count > 0).length;
      } while (before === letters && letters < MAX_CALLS * LETTERS);
      assert(before < letters, "it was not interrupted");
      if (signal === "SIGINT") {
        assert(ended.stderr.includes("Stops after this batch; a second Ctrl-C ends it at once"));
        assertEquals(ended.code, EXIT.unfinished);
        const requeued = (before - earlier).toLocaleString("en");
        assert(ended.stdout.join("\n").startsWith(`Stopped: requeued ${requeued}, refused `), ended.stdout.join("\n"));
      }
      const rest = await cli(["dlq", "requeue", "--app", "tests/cli/apps/dead.ts", "--all"], { env });
      assertEquals(rest.code, EXIT.ok, rest.stderr.join("\n"));
      const counts = await countRequeued(world, letters);
      assertEquals(counts.filter((count) => count === 0).length, 0);
      const twice = counts.filter((count) => count > 1).length;
      assert(signal === "SIGINT" ? twice === 0 : twice <= 2000, `${twice} were requeued twice`);
    },
  );
}
