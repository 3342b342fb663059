/** A backup of a file in use, made as `docs/brokers.md` says: by another process, with `VACUUM INTO`. */
import { assert, assertEquals } from "@std/assert";
import { Child } from "../../support/child.ts";
import { TemporaryFile } from "./harness.ts";
import { makeTopic, Member, TOPIC } from "./member.ts";

const DOCS = new URL("../../../docs/brokers.md", import.meta.url);

/** The program in the docs, for other paths. */
function backupProgram(from: string, to: string): string {
  const [, program] = /```ts\n(\/\/ backup\.ts\n[\s\S]*?)```/.exec(Deno.readTextFileSync(DOCS))!;
  return program!.replaceAll("jobs.db", from).replaceAll("backup.db", to);
}

Deno.test("sqlite: a backup that is made while the file is in use has all that was acknowledged before, and the file goes on", async () => {
  using file = new TemporaryFile();
  using folder = new TemporaryFile();
  await makeTopic(file.path, 2);
  await using member = new Member(file.path, { sessionTimeoutMs: 500 });
  await member.owns(2);
  const append = async (value: string) => {
    const [outcome] = await member.broker.append(TOPIC, [{ partition: 0, value }], { durability: "durable" });
    assert(outcome?.ok);
  };
  for (let n = 0; n < 20; n++) await append(`before ${n}`);
  await member.received(20);
  assertEquals(await member.commit(5), "committed");
  const program = `${folder.path}.ts`;
  Deno.writeTextFileSync(program, backupProgram(file.path, folder.path));
  let isOver = false;
  let during = 0;
  const appending = (async () => {
    for (; !isOver; during++) {
      await append(`during ${during}`);
      // An append alone gives the event loop no turn.
      await new Promise((resolve) => setTimeout(resolve));
    }
  })();
  {
    await using backup = new Child([program]);
    const { code, stderr } = await backup.ended();
    assertEquals(code, 0, stderr.join("\n"));
  }
  isOver = true;
  await appending;
  await append("after");
  await member.received(20 + during + 1);
  assertEquals([member.recorder.losses, member.recorder.failures], [[], []]);

  // The lease in it is that of the worker, which has not renewed it there.
  await using restored = new Member(folder.path);
  await restored.owns(2);
  assertEquals(restored.recorder.own(0).committed?.offset, 5);
  await restored.recorder.until("it has what was there", () => restored.recorder.received.length >= 15);
  assertEquals(restored.recorder.values(0).slice(0, 15), Array.from({ length: 15 }, (_, n) => `before ${n + 5}`));
});
