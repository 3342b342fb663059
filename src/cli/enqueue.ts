/** `enqueue`: enqueues one job, waits for the broker's acknowledgement whatever its class says, and prints where it is. */
import type { App } from "../app/app.ts";
import { parseExactly } from "../job/arguments.ts";
import type { Job } from "../job/job.ts";
import { didYouMean, show } from "../support/validation.ts";
import { APP_FLAG, type Arguments, type Command, CommandError, UsageError } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { type Late, TIMEOUT_FLAG, withApp } from "./short_command.ts";
import { formatPosition } from "../support/position.ts";

/** `enqueue`. */
export const enqueue: Command = {
  name: "enqueue",
  words: "Class ['[json]']",
  summary: "Enqueue one job, and print its topic/partition@offset once it is acknowledged",
  details: ["The arguments are a JSON array, [] where they are left out."],
  flags: [APP_FLAG, TIMEOUT_FLAG],
  examples: [`enqueue --app app.ts WelcomeJob '[42, "a note"]'`],
  async run(given: Arguments): Promise<number> {
    const [name, json = "[]", ...rest] = given.words;
    if (name === undefined || rest.length > 0) {
      throw new UsageError(
        `"enqueue" needs a class and a JSON array of arguments, but it is given ${
          given.words.length === 0 ? "nothing" : given.words.map(show).join(" ")
        }`,
      );
    }
    const args = readJson(json);
    let job: Job | undefined;
    const position = await withApp(given, () => whatIsKnown(job), async (app) => {
      if (/^memory:/.test(app.brokerName)) {
        console.error(`note: the broker "${app.brokerName}" ends with this process, and the job with it`);
      }
      job = makeJob(app, name, args);
      await app.enqueue(job);
      return await job.delivered();
    });
    console.log(formatPosition(position));
    return EXIT.ok;
  },
};

function makeJob(app: App, name: string, args: readonly unknown[]): Job {
  const Class = app.jobClass(name);
  if (Class === undefined) {
    throw new CommandError(`The App "${app.name}" has no job class ${show(name)}${didYouMean(name, app.jobNames())}`);
  }
  const { of } = Class as unknown as { of(this: unknown, ...args: readonly unknown[]): Job };
  return of.apply(Class, [...args]);
}

/** Of a job that was not acknowledged in time: whether it is in the log, and what the broker's client met last. */
function whatIsKnown(job: Job | undefined): Late {
  const error = job?.enqueueError;
  const what = error?.written === "no" ? "the job was not written" : "the job may have been written";
  // The error's own cause is that this program gave up.
  return { what, cause: (error?.cause as Error | undefined)?.cause };
}

function readJson(json: string): readonly unknown[] {
  let args: unknown;
  try {
    args = parseExactly(json);
  } catch (error) {
    throw new UsageError(
      `The arguments of the job must be a JSON array, but ${show(json)} is no JSON: ${(error as Error).message}`,
    );
  }
  if (!Array.isArray(args)) {
    throw new UsageError(`The arguments of the job must be a JSON array, but they are ${show(json)}`);
  }
  return args;
}
