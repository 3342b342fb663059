/**
 * `dlq`: lists, shows, requeues and dismisses dead letters, without a group and without a worker. It is a skin over
 * `app.deadLetters()`.
 */
import type { App } from "../app/app.ts";
import type { DeadLetterProgress } from "../dead_letters/handle.ts";
import { countOf, formatCount } from "../support/count.ts";
import { formatPosition } from "../support/position.ts";
import { readAction } from "./actions.ts";
import { APP_FLAG, type Arguments, type Command, type Flag, JSON_FLAG, UsageError } from "./command.ts";
import { formatDetails, formatList, withoutArguments } from "./dlq_output.ts";
import { readFilter, readWords } from "./dlq_selection.ts";
import { disposing, type Keep } from "./disposing.ts";
import { escapeText, formatJson } from "./escape.ts";
import { EXIT } from "./exit_codes.ts";
import { printLine } from "./print_error.ts";
import { Progress } from "./progress.ts";
import { READ_ONLY, runOnApp, TIMEOUT_FLAG } from "./run_on_app.ts";
import { runtime } from "./runtime.ts";
import { StopSignal } from "./stop_signal.ts";

/** At most this many refused letters are printed. */
const MAX_REFUSED = 20;

const FILTER_FLAGS: readonly Flag[] = [
  { name: "class", value: "C", help: "only jobs of this class" },
  { name: "error", value: "E", help: "only errors of this class" },
  { name: "since", value: "TIME", help: "only letters written since then: 30m, 2h, 7d, or 2026-11-27T08:00:00Z" },
];
const HANDLE_FLAGS: readonly Flag[] = [
  { name: "all", help: "requeue or dismiss all of them" },
  { name: "force", help: "requeue or dismiss letters again that are marked as handled" },
  { name: "dry-run", help: "count the letters, write nothing" },
  { name: "by", value: "NAME", help: "your name, for the marker (the App's name)" },
];
const LIMIT_FLAG: Flag = { name: "limit", value: "N", help: "list at most N letters (50)" };
const UNHANDLED_FLAG: Flag = { name: "unhandled", help: "list only those that were neither requeued nor dismissed" };
const ARGUMENTS_FLAG: Flag = { name: "arguments", help: "show the arguments of the job, which may hold secrets" };

/** The actions, and the flags that not all of them take. */
const ACTIONS: ReadonlyMap<string, readonly Flag[]> = new Map([
  ["list", [...FILTER_FLAGS, UNHANDLED_FLAG, LIMIT_FLAG]],
  ["show", [ARGUMENTS_FLAG]],
  ["requeue", [...FILTER_FLAGS, ...HANDLE_FLAGS]],
  ["dismiss", [...FILTER_FLAGS, ...HANDLE_FLAGS]],
]);
const OWN_FLAGS: readonly Flag[] = [...FILTER_FLAGS, UNHANDLED_FLAG, LIMIT_FLAG, ARGUMENTS_FLAG, ...HANDLE_FLAGS];

/** `dlq`. */
export const dlq: Command = {
  name: "dlq",
  words: "list|show|requeue|dismiss [topic | topic/partition@offset …]",
  summary: "List, show, requeue or dismiss dead letters",
  details: [
    "list: newest first, one line each. show: all of one. requeue: back to the topic that a letter came from, with the same",
    "key and bytes; its attempts start again. dismiss: only marks it. A marked letter is refused, unless --force is set.",
    "No worker needs to run. Ctrl-C stops between two batches: the exit code is 2 then. It is 1 if every letter is refused.",
  ],
  flags: [
    APP_FLAG,
    ...OWN_FLAGS,
    JSON_FLAG,
    TIMEOUT_FLAG,
  ],
  actions: ACTIONS,
  examples: [
    "dlq list --app app.ts --since 2h",
    "dlq show --app app.ts dead_jobs/0@41",
    "dlq requeue --app app.ts dead_jobs/0@41",
    "dlq requeue --app app.ts --class WelcomeJob --since 2h --dry-run",
    "dlq dismiss --app app.ts dead_jobs --error TypeError",
  ],
  async run(args: Arguments): Promise<number> {
    const [action, ...words] = readAction(dlq, args);
    if (action === "list") return await disposing((keep) => list(args, words, keep));
    if (action === "show") return await showOne(args, words);
    return await disposing((keep) => handle(args, action as "requeue" | "dismiss", words, keep));
  },
};

const NO_LETTERS = "there are no dead letters";
const NO_MATCH = "no dead letter matches";

async function list(args: Arguments, words: readonly string[], keep: Keep): Promise<number> {
  const { positions, topic } = readWords("list", words);
  if (positions.length > 0) throw new UsageError(`"dlq list" takes a topic: "dlq show" shows one letter`);
  const limit = args.getCount("limit") ?? 50;
  const filter = readFilter(args, Date.now());
  const unhandled = args.isSet("unhandled");
  const progress = keep(new Progress());
  const letters = await runOnApp(args, READ_ONLY, (app, extend) =>
    app.deadLetters(topic).list({
      ...filter,
      limit,
      unhandled,
      onProgress({ read, total }) {
        extend();
        progress.show(read, total, `${formatRead(read)}; Ctrl-C stops`);
      },
    }));
  await progress.end();
  if (args.isSet("json")) console.log(formatJson(letters));
  else for (const line of formatList(letters, dim)) console.log(line);
  const isFiltered = unhandled || Object.keys(filter).length > 0;
  if (letters.length === 0) printLine(`note: ${isFiltered ? NO_MATCH : NO_LETTERS}`);
  if (letters.length === limit && !args.isSet("limit")) {
    printLine(`note: these are the newest ${limit}; --limit N lists more`);
  }
  return EXIT.ok;
}

async function showOne(args: Arguments, words: readonly string[]): Promise<number> {
  const { positions: [position, ...more] } = readWords("show", words);
  if (position === undefined || more.length > 0) {
    throw new UsageError(`"dlq show" needs one position, such as dead_jobs/0@41`);
  }
  const withArguments = args.isSet("arguments");
  const details = await runOnApp(args, READ_ONLY, (app) => app.deadLetters().show(position));
  if (args.isSet("json")) console.log(formatJson(withArguments ? details : withoutArguments(details)));
  else for (const line of formatDetails(details, withArguments)) console.log(line);
  return EXIT.ok;
}

async function handle(
  args: Arguments,
  action: "requeue" | "dismiss",
  words: readonly string[],
  keep: Keep,
): Promise<number> {
  const { positions, topic } = readWords(action, words);
  const filter = readFilter(args, Date.now());
  const isAll = args.isSet("all");
  const ways = [positions.length > 0, isAll, Object.keys(filter).length > 0].filter(Boolean).length;
  if (ways !== 1) {
    throw new UsageError(
      `"dlq ${action}" needs one selection: positions such as dead_jobs/0@41, or --all, or --class, --error and --since`,
    );
  }
  const selection = positions.length > 0 ? { at: positions } : isAll ? { all: true } : filter;
  const by = args.getText("by");
  const isDryRun = args.isSet("dry-run");
  const done = action === "requeue" ? "requeued" : "dismissed";
  let progress: DeadLetterProgress = { read: 0, total: 0, handled: 0, refused: 0 };
  const describe = () => `${done} ${formatCount(progress.handled)}, refused ${formatCount(progress.refused)}`;
  const stop = keep(new StopSignal());
  const line = keep(new Progress());
  stop.signal.addEventListener("abort", () => {
    line.clear();
    printLine("Stops after this batch; a second Ctrl-C ends it at once");
  });
  const run = async (app: App, extend: () => void) => {
    let refused = 0;
    let marked = 0;
    const result = await app.deadLetters(topic)[action](selection, {
      force: args.isSet("force"),
      dryRun: isDryRun,
      signal: stop.signal,
      ...(by === undefined ? {} : { by }),
      onProgress(now) {
        progress = now;
        extend();
        line.show(now.read, now.total, `${describe()}; Ctrl-C stops`);
      },
      onRefused(position, reason, handled) {
        if (handled !== null) marked++;
        // A filter selects what was handled before as well: only the number is of interest.
        if (handled !== null && positions.length === 0) return;
        if (++refused > MAX_REFUSED) return;
        line.clear();
        printLine(`refused ${formatPosition(position)}: ${escapeText(reason)}`);
      },
    });
    line.clear();
    progress = { ...progress, refused: result.refused, handled: Object.values(result)[0]! };
    if (refused > MAX_REFUSED) printLine(`refused ${formatCount(refused - MAX_REFUSED)} more`);
    if (marked > 0) printLine(`note: handled before: ${formatCount(marked)}; --force handles them again`);
    if (progress.handled + progress.refused === 0) printLine(`note: ${isAll ? NO_LETTERS : NO_MATCH}`);
  };
  await runOnApp(
    args,
    () => ({
      outcome:
        `${describe()}; one more batch may have been ${done}. A second call goes on, and may handle up to 2,000 again`,
    }),
    run,
  );
  await line.end();
  const isStopped = stop.signal.aborted;
  if (args.isSet("json")) {
    const { handled, refused } = progress;
    console.log(formatJson({ [done]: handled, refused, dryRun: isDryRun, stopped: isStopped }));
  } else {
    const start = isStopped ? "Stopped: " : isDryRun ? "Nothing was written; without --dry-run: " : "";
    console.log(`${start}${describe()}`);
  }
  if (isStopped) return EXIT.unfinished;
  return progress.handled === 0 && progress.refused > 0 ? EXIT.failed : EXIT.ok;
}

function dim(line: string): string {
  return runtime.hasColors ? `\x1b[2m${line}\x1b[22m` : line;
}

function formatRead(count: number): string {
  return `read ${countOf(count, "dead letter")}`;
}
