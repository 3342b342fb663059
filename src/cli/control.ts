/** `pause`, `resume` and `cancel`: an operator's orders to the workers. No worker needs to run. */
import type { PausedTopic } from "../control/control.ts";
import { show } from "../support/validation.ts";
import { APP_FLAG, type Arguments, type Command, type Flag, UsageError } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { runOnApp, TIMEOUT_FLAG } from "./run_on_app.ts";

const WHY_FLAG: Flag = { name: "why", value: "TEXT", help: "the reason, for the log and for other operators" };
const BY_FLAG: Flag = {
  name: "by",
  value: "NAME",
  help: "your name, for the log and for other operators (the App's name)",
};

/** A topic, or one partition of it. */
interface Place {
  readonly queue: string;
  readonly partition?: number;
}

/** `pause`. */
export const pause: Command = {
  name: "pause",
  words: "topic[/partition]",
  summary: "Start no job of a topic, or of one partition",
  details: [
    "Workers keep their partitions, and the jobs that run go on. It holds until it is resumed, also for workers that",
    "start later. On Kafka the App needs the option control: true.",
  ],
  flags: [APP_FLAG, WHY_FLAG, BY_FLAG, TIMEOUT_FLAG],
  examples: ['pause --app app.ts mail --why "the mail server is down"', "pause --app app.ts default/3"],
  async run(args: Arguments): Promise<number> {
    const { queue, ...partition } = readPlace("pause", args.words);
    const options = { ...partition, ...readOperator(args) };
    const paused = await runOnApp(
      args,
      () => ({ outcome: "the topic may be paused" }),
      (app) => app.pause(queue, options),
    );
    console.log(`Paused ${formatPlace(paused)}`);
    return EXIT.ok;
  },
};

/** `resume`. */
export const resume: Command = {
  name: "resume",
  words: "topic[/partition]",
  summary: "Start jobs of a paused topic again",
  details: ["A topic without a partition: the topic and all its partitions."],
  flags: [APP_FLAG, BY_FLAG, TIMEOUT_FLAG],
  examples: ["resume --app app.ts mail", "resume --app app.ts default/3"],
  async run(args: Arguments): Promise<number> {
    const { queue, ...partition } = readPlace("resume", args.words);
    const by = args.getText("by");
    const options = { ...partition, ...(by === undefined ? {} : { by }) };
    const { topic, ended, left } = await runOnApp(
      args,
      () => ({ outcome: "the topic may be resumed" }),
      async (app) => {
        const ended = await app.resume(queue, options);
        const topic = app.topicName(queue);
        const left = (await app.paused()).filter((each) => each.topic === topic);
        return { topic, ended, left };
      },
    );
    for (const each of ended) console.log(`Resumed ${formatPlace(each)}`);
    if (ended.length === 0) console.log(`${formatPlace({ topic, partition: null, ...partition })} was not paused`);
    if (left.some((each) => each.partition === null)) console.log(`The whole topic ${topic} is still paused`);
    return EXIT.ok;
  },
};

/** `cancel`. */
export const cancel: Command = {
  name: "cancel",
  words: "JOB_ID",
  summary: "Cancel a job that is delayed, waits or runs",
  details: [
    "The signal of a running job aborts. For a week no job of this id is performed. A job that has ended stays as it is.",
    "On Kafka the App needs the option control: true.",
  ],
  flags: [APP_FLAG, WHY_FLAG, BY_FLAG, TIMEOUT_FLAG],
  examples: ["cancel --app app.ts 0197f2b4-5d0e-7c61-9a50-4f2d5c8d9a11"],
  async run(args: Arguments): Promise<number> {
    const [jobId, ...more] = args.words;
    if (jobId === undefined || more.length > 0) throw new UsageError(`"cancel" needs one job id`);
    const options = readOperator(args);
    await runOnApp(args, () => ({ outcome: "the job may be cancelled" }), (app) => app.cancel(jobId, options));
    console.log(`Cancelled ${show(jobId)}: it is not performed, and is asked to end if it runs`);
    return EXIT.ok;
  },
};

function readOperator(args: Arguments): { why?: string; by?: string } {
  const [why, by] = [args.getText("why"), args.getText("by")];
  return { ...(why === undefined ? {} : { why }), ...(by === undefined ? {} : { by }) };
}

function readPlace(command: string, words: readonly string[]): Place {
  const [, queue, partition] = (words.length === 1 ? /^([^/]+)(?:\/(\d{1,9}))?$/.exec(words[0]!) : null) ?? [];
  if (queue === undefined) {
    const given = words.length === 0 ? "none is given" : `it is given ${words.map(show).join(" ")}`;
    throw new UsageError(`"${command}" needs one topic, such as default, or default/3 for a partition, but ${given}`);
  }
  return partition === undefined ? { queue } : { queue, partition: Number(partition) };
}

function formatPlace({ topic, partition }: Pick<PausedTopic, "topic" | "partition">): string {
  return partition === null ? topic : `${topic}/${partition}`;
}
