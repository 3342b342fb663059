/**
 * `--require kafka,ruby`: the parts of a run that may not be left out. By default a part is left out where the machine lacks
 * what it needs, and the run says so; a required part that is left out is a failure.
 */
import { didYouMean } from "../src/support/validation.ts";

/** The parts that can be left out. */
const PARTS = ["kafka", "ruby", "chromium", "node"] as const;

/**
 * `"kafka"`: the tests that need a real Kafka, and therefore Java and Maven or a `BROKER_URL`. `"ruby"`: those that need a
 * Ruby with Active Job, and those that need a Kafka as well a kcat. `"chromium"`: those of the dashboard in a browser. `"node"`: those in Node and Bun.
 */
export type Part = typeof PARTS[number];

/** A command line that cannot be read. The message says what is wrong with it. */
export class UsageError extends Error {
  override name = "UsageError";
}

/**
 * Runs a task with the arguments of this process, and ends the process: with 0 if it returns `true`, else with 1, and with 2
 * and the message for a command line that cannot be read.
 */
export async function runTask(main: (args: readonly string[]) => Promise<boolean>): Promise<never> {
  try {
    Deno.exit(await main(Deno.args) ? 0 : 1);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    Deno.exit(2);
  }
}

/**
 * Takes `--require a,b` and `--require=a,b` out of a command line.
 *
 * @returns the required parts, and the other arguments in order
 * @throws {UsageError} if a part is unknown, or no part follows
 */
export function takeRequired(args: readonly string[]): { required: ReadonlySet<Part>; rest: string[] } {
  const required = new Set<Part>();
  const rest: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (arg !== "--require" && !arg.startsWith("--require=")) {
      rest.push(arg);
      continue;
    }
    const words = arg === "--require" ? args[++at] ?? "" : arg.slice("--require=".length);
    for (const word of words.split(",")) required.add(parsePart(word));
  }
  return { required, rest };
}

function parsePart(word: string): Part {
  const part = PARTS.find((known) => known === word);
  if (part === undefined) {
    throw new UsageError(`Cannot read --require: unknown part "${word}"${didYouMean(word, PARTS)}`);
  }
  return part;
}
