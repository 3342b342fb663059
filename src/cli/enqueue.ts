/** `enqueue`: enqueues one job, waits for the broker's acknowledgement whatever its class says, and prints where it is. */
import type { App } from "../app/app.ts";
import { parseExactly } from "../job/arguments.ts";
import type { JobPosition } from "../job/delivery.ts";
import type { Job } from "../job/job.ts";
import { didYouMean, show } from "../options.ts";
import { APP_FLAG, type Arguments, type Command, CommandError, UsageError } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { TIMEOUT_FLAG, withApp } from "./short_command.ts";

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
    const { topic, partition, offset } = await withApp(given, ": the job may have been written", (app) => {
      if (/^memory:/.test(app.brokerName)) {
        console.error(`note: the broker "${app.brokerName}" ends with this process, and the job with it`);
      }
      return deliver(app, name, args);
    });
    console.log(`${topic}/${partition}@${offset}`);
    return EXIT.ok;
  },
};

async function deliver(app: App, name: string, args: readonly unknown[]): Promise<JobPosition> {
  const Class = app.jobClass(name);
  if (Class === undefined) {
    throw new CommandError(`The App "${app.name}" has no job class ${show(name)}${didYouMean(name, app.jobNames())}`);
  }
  const { of } = Class as unknown as { of(this: unknown, ...args: readonly unknown[]): Job };
  const job = await app.enqueue(of.apply(Class, [...args]));
  return await job.delivered();
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
