/** Dead letters from the command line: each command is a process of its own. */
import { assertEquals, assertMatch } from "@std/assert";
import { EXIT } from "../../src/cli/exit_codes.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { cli } from "../support/child.ts";

behaviour(
  "D8: from the command line dead letters are listed, requeued one by one, by class and by time, and performed again by their own class; a second requeue is refused unless forced",
  { on: ["sqlite", "kafka"], because: "a memory log ends with its process" },
  async (world) => {
    const run = async (words: string, env: Record<string, string> = {}) => {
      const [command, ...rest] = words.split(" ");
      const ended = await cli([command!, "--app", "tests/cli/apps/dead.ts", ...rest], {
        env: { DEAD_BROKER: world.url, DEAD_NAME: world.group, ...env },
      });
      return { code: ended.code, lines: ended.stdout, errors: ended.stderr.join("\n") };
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
    assertEquals((await run("dlq requeue --all")).lines, ["requeued 0, refused 3"]);
  },
);
