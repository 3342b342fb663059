/** The pauses of a consumer: polling that ends where a file can be watched. */
import { assert, assertEquals } from "@std/assert";
import { turn, Wakeup } from "../../../src/broker/sqlite/wakeup.ts";
import { MachineMeter } from "../../support/machine_meter.ts";
import { durationMs, until } from "../../support/until.ts";
import { openBroker, TemporaryFile } from "./harness.ts";
import { fill, makeTopic, Member } from "./member.ts";

/** A pause that ends in no test by itself, in ms. */
const NEVER_MS = 3_600_000;

/** Pauses until the next pause is the one beside a watch: its promise. */
async function untilWatching(wakeup: Wakeup): Promise<{ readonly ended: Promise<boolean>; readonly pauses: number }> {
  for (let pauses = 0;; pauses++) {
    let isOver = false;
    const ended = wakeup.pause().finally(() => isOver = true);
    // Twice the longest pause of polling.
    await new Promise((resolve) => setTimeout(resolve, 100));
    // A late timer is followed by the turn of the pause.
    for (let turns = 0; turns < 3; turns++) await turn();
    if (!isOver) return { ended, pauses };
  }
}

/** Returns the number of files that this process watches, as Linux lists them. */
function watches(): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`) !== "anon_inode:inotify") continue;
      count += Deno.readTextFileSync(`/proc/self/fdinfo/${name}`).split("\n").filter((line) =>
        /^inotify /.test(line)
      ).length;
    } catch {
      // The folder that was read is closed already.
    }
  }
  return count;
}

Deno.test({
  name: "sqlite: a write ends the long pause of an idle consumer; short ones follow, since it may not be readable yet",
  ignore: Deno.build.os !== "linux",
}, async () => {
  using file = new TemporaryFile();
  Deno.writeTextFileSync(file.path, "");
  const wakeup = new Wakeup(file.path, NEVER_MS);
  const { ended, pauses } = await untilWatching(wakeup);
  assert(pauses > 5, `it watched after ${pauses} pauses`);
  Deno.writeTextFileSync(file.path, "written");
  assertEquals(await ended, false);
  // None of them ends by a write.
  for (let pause = 0; pause < 4; pause++) assertEquals(await wakeup.pause(), false);
  const again = await untilWatching(wakeup);
  wakeup.wake();
  assertEquals(await again.ended, true);
  wakeup.close();
});

Deno.test({
  name: "sqlite: a wakeup that is closed leaves no watch, and begins none",
  ignore: Deno.build.os !== "linux",
}, async () => {
  using file = new TemporaryFile();
  Deno.writeTextFileSync(file.path, "");
  const before = watches();
  const wakeup = new Wakeup(file.path, NEVER_MS);
  const { ended } = await untilWatching(wakeup);
  assertEquals(watches(), before + 1);
  wakeup.close();
  wakeup.wake();
  await ended;
  for (let pause = 0; pause < 15; pause++) await wakeup.pause();
  await until(() => watches() === before, () => `there are ${watches()} watches, not ${before}`);
});

Deno.test("sqlite: a file that cannot be watched is polled", async () => {
  using file = new TemporaryFile();
  const wakeup = new Wakeup(file.path, NEVER_MS);
  for (let pause = 0; pause < 20; pause++) assertEquals(await wakeup.pause(), false);
  using machine = new MachineMeter();
  machine.assertWithin("pause", await durationMs(() => wakeup.pause()), 1000);
  wakeup.close();
});

Deno.test({
  name: "sqlite: an idle consumer gets the record of another client, and leaves no watch once it is closed",
  ignore: Deno.build.os !== "linux",
}, async () => {
  using file = new TemporaryFile();
  await makeTopic(file.path);
  // Keeps the log: a log that is deleted ends its watch.
  await using other = openBroker(file.path);
  await other.connect();
  const before = watches();
  const watching = () => until(() => watches() === before + 1, () => `there are ${watches()} watches, not one more`);
  {
    await using member = new Member(file.path, { sessionTimeoutMs: 60_000 });
    await member.owns(1);
    await watching();
    await fill(file.path, 1);
    await member.received(1);
    await watching();
  }
  await until(() => watches() === before, () => `there are ${watches()} watches, not ${before}`);
});
