/**
 * `enqueue`: enqueues one job, waits until the broker has acknowledged it, whatever its class says, and prints its position.
 */
import type { App } from "../app/app.ts";
import { parseExactly } from "../job/serializers/read.ts";
import type { Job, JobClass } from "../job/job.ts";
import { formatPosition } from "../support/position.ts";
import { didYouMean, show } from "../support/validation.ts";
import { checkArgumentCount } from "./argument_count.ts";
import { APP_FLAG, type Arguments, type Command, CommandError, UsageError } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { runOnApp, TIMEOUT_FLAG, type TimeoutDetails } from "./run_on_app.ts";
import { printLine } from "./print_error.ts";

/** `enqueue`. */
export const enqueue: Command = {
  name: "enqueue",
  words: "Class ['[json]']",
  summary: "Enqueue one job, and print its topic/partition@offset once it is acknowledged",
  details: [
    "The arguments are a JSON array, [] by default. Their types are not checked: a worker performs the job with them as",
    "they are. A number of arguments that perform() does not take is printed as a note.",
  ],
  flags: [APP_FLAG, TIMEOUT_FLAG],
  examples: [`enqueue --app app.ts WelcomeJob '[42, "a note"]'`],
  async run(args: Arguments): Promise<number> {
    const [name, json = "[]", ...rest] = args.words;
    if (name === undefined || rest.length > 0) {
      const words = args.words.length === 0 ? "nothing" : args.words.map(show).join(" ");
      throw new UsageError(`"enqueue" needs a class and a JSON array of arguments, but it is given ${words}`);
    }
    const jobArguments = parseJobArguments(json);
    let job: Job | undefined;
    const position = await runOnApp(args, () => describeUnacknowledged(job), async (app) => {
      if (/^memory:/.test(app.brokerName)) {
        printLine(`note: the broker "${app.brokerName}" ends with this process, and the job with it`);
      }
      // The error is printed below. An App of an earlier copy of this library does not have the method.
      app.muteLog?.("job.enqueue_failed");
      job = createJob(app, name, jobArguments);
      await app.enqueue(job);
      return await job.delivered();
    });
    console.log(formatPosition(position));
    return EXIT.ok;
  },
};

function createJob(app: App, name: string, args: readonly unknown[]): Job {
  const Class = app.jobClass(name);
  if (Class === undefined) {
    throw new CommandError(`The App "${app.name}" has no job class ${show(name)}${didYouMean(name, app.jobNames())}`);
  }
  const note = checkArgumentCount(name, (Class as JobClass).prototype.perform, args.length);
  if (note !== null) printLine(`note: ${note}`);
  const { of } = Class as unknown as { of(this: unknown, ...args: readonly unknown[]): Job };
  return of.apply(Class, [...args]);
}

/** Describes a job that was not acknowledged in time: whether it is in the log, and the last error of the broker's client. */
function describeUnacknowledged(job: Job | undefined): TimeoutDetails {
  const error = job?.enqueueError;
  const outcome = error?.written === "no" ? "the job was not written" : "the job may have been written";
  // The error's own cause only says that this program stopped waiting.
  return { outcome, cause: (error?.cause as Error | undefined)?.cause };
}

function parseJobArguments(json: string): readonly unknown[] {
  let args: unknown;
  try {
    args = parseExactly(json);
  } catch (error) {
    const { message } = error as Error;
    throw new UsageError(`The arguments of the job must be a JSON array, but ${show(json)} is not JSON: ${message}`);
  }
  if (!Array.isArray(args)) {
    throw new UsageError(`The arguments of the job must be a JSON array, but they are ${show(json)}`);
  }
  return args;
}
