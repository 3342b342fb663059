/** `recurring`: lists the recurring jobs, and runs one now. It is a skin over `app.recurring()` and `app.runRecurring()`. */
import type { RecurringJob } from "../scheduler/recurring/list_recurring.ts";
import { formatPosition } from "../support/position.ts";
import { show } from "../support/validation.ts";
import { readAction } from "./actions.ts";
import { alignColumns } from "./columns.ts";
import { APP_FLAG, type Arguments, type Command, JSON_FLAG, UsageError } from "./command.ts";
import { escapeText, formatJson } from "./escape.ts";
import { EXIT } from "./exit_codes.ts";
import { printLine } from "./print_error.ts";
import { READ_ONLY, runOnApp, TIMEOUT_FLAG } from "./run_on_app.ts";

/** `recurring`. */
export const recurring: Command = {
  name: "recurring",
  words: "list | run ID",
  summary: "List recurring jobs, or run one now",
  details: [
    "list: one line each: id, class, schedule, time zone, last and next tick. No worker needs to run.",
    "run: enqueues the job now, and prints its topic/partition@offset. Its ticks stay as they are.",
  ],
  flags: [APP_FLAG, JSON_FLAG, TIMEOUT_FLAG],
  actions: new Map([["list", []], ["run", []]]),
  examples: ["recurring list --app app.ts", "recurring run --app app.ts nightly"],
  async run(args: Arguments): Promise<number> {
    const [action, ...words] = readAction(recurring, args);
    return action === "list" ? await list(args, words) : await runOne(args, words);
  },
};

async function list(args: Arguments, words: readonly string[]): Promise<number> {
  if (words.length > 0) throw new UsageError(`"recurring list" takes no words, but it is given ${show(words[0])}`);
  const jobs = await runOnApp(args, READ_ONLY, (app) => app.recurring());
  if (args.isSet("json")) console.log(formatJson(jobs));
  else for (const line of formatRecurring(jobs)) console.log(line);
  if (jobs.length === 0) printLine('note: the App has no recurring jobs: list them in its option "recurring"');
  return EXIT.ok;
}

async function runOne(args: Arguments, [id, ...more]: readonly string[]): Promise<number> {
  if (id === undefined || more.length > 0) throw new UsageError(`"recurring run" needs one id, such as nightly`);
  const describe = () => ({ outcome: "the job may have been written" });
  const position = await runOnApp(args, describe, async (app) => {
    const job = await app.runRecurring(id);
    return job.position === undefined ? null : { ...job.position, jobId: job.jobId };
  });
  if (args.isSet("json")) console.log(formatJson(position));
  else console.log(position === null ? "A callback halted the job" : formatPosition(position));
  return position === null ? EXIT.failed : EXIT.ok;
}

/** Formats one line for each recurring job, in columns. */
export function formatRecurring(jobs: readonly RecurringJob[]): string[] {
  const rows = jobs.map(({ id, jobClass, schedule, timeZone, lastAtMs, nextAtMs }) => [
    id,
    escapeText(jobClass),
    schedule,
    timeZone ?? "-",
    `last ${lastAtMs === null ? "-" : new Date(lastAtMs).toISOString()}`,
    `next ${new Date(nextAtMs).toISOString()}`,
  ]);
  return alignColumns(rows).map((row) => row.join("  ").trimEnd());
}
