/** `pause`, `resume` and `cancel`: their arguments, and what they do between processes on one file. */
import { activeJobTopic, App, Job, type KafkaOptions } from "@activejob/kafka";
import { assertEquals } from "@std/assert";
import { EXIT } from "../../src/cli/exit_codes.ts";
import { Child, CLI } from "../support/child.ts";
import { testCommandLines } from "../support/command_lines.ts";
import { Folder } from "../support/folder.ts";

const APP = ["--app", "tests/cli/apps/dead.ts"];

testCommandLines([
  { args: ["pause", ...APP], code: EXIT.usage, stderr: /"pause" needs one topic, .* but none is given$/ },
  { args: ["pause", ...APP, "default/x"], code: EXIT.usage, stderr: /but it is given "default\/x"$/ },
  { args: ["pause", ...APP, "defalt"], code: EXIT.failed, stderr: /did you mean "default"\?/ },
  { args: ["resume", ...APP, "default"], code: EXIT.ok, stdout: /^dead_default was not paused$/ },
  { args: ["cancel", ...APP], code: EXIT.usage, stderr: /"cancel" needs one job id$/ },
]);

/** The class of `apps/dead.ts`, in another process. */
class MailJob extends Job {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
  perform(_to: string, _secret: string) {}
}

/** @returns the id of the job */
async function enqueueElsewhere(broker: string, to: string): Promise<string> {
  const topics = [activeJobTopic("default", { partitions: 1 })];
  await using _app = new App({ name: "dead", queuePrefix: "dead", broker, jobs: [MailJob], topics, logger: false });
  return (await MailJob.performLater(to, "x")).jobId;
}

Deno.test("a topic that is paused from the command line starts no job until it is resumed, and a cancelled job none at all", async () => {
  await using folder = await Folder.create({});
  const env = { DEAD_BROKER: `sqlite:${folder.path}/jobs.db`, IS_FIXED: "1" };
  const run = async (command: string, ...args: string[]) => {
    await using child = new Child([CLI, command, ...APP, ...args], { env });
    const { code, stdout, stderr } = await child.ended();
    assertEquals(code, EXIT.ok, stderr.join("\n"));
    return stdout;
  };
  await run("enqueue", "MailJob", '["ada", "x"]');
  const jobId = await enqueueElsewhere(env.DEAD_BROKER, "eve");
  assertEquals(await run("pause", "default", "--why", "the mail server is down"), ["Paused dead_default"]);
  assertEquals(await run("cancel", jobId), [
    `Cancelled "${jobId}": it is not performed, and is asked to end if it runs`,
  ]);
  assertEquals(await run("worker", "--once"), []);
  assertEquals(await run("resume", "default"), ["Resumed dead_default"]);
  assertEquals(await run("worker", "--once"), ["mail to ada at attempt 1"]);
  // Each command prints the full name of a topic, with the App's prefix, whichever name it is given.
  assertEquals(await run("enqueue", "MailJob", '["ben", "x"]'), ["dead_default/0@2"]);
  assertEquals(await run("skip", "default/0@2"), ["Passed over dead_default/0@2"]);
});
