/**
 * `status`: the state of each topic in words, asked of the broker. No worker needs to run. The exit code is for scripts: 0 if
 * nothing is wrong.
 */
import type { App } from "../app/app.ts";
import { listWrong } from "../status/topic_state.ts";
import type { AppStatus } from "../status/status.ts";
import { sleep } from "../support/deadline.ts";
import { quoteForShell } from "../support/shell.ts";
import { show } from "../support/validation.ts";
import { APP_FLAG, type Arguments, type Command, JSON_FLAG, UsageError } from "./command.ts";
import { disposing, type Keep } from "./disposing.ts";
import { formatJson } from "./escape.ts";
import { EXIT } from "./exit_codes.ts";
import { READ_ONLY, runOnApp } from "./run_on_app.ts";
import { runtime } from "./runtime.ts";
import { formatStatus, redraw } from "./status_output.ts";
import { StopSignal } from "./stop_signal.ts";

/** The default of `--timeout-ms`, in milliseconds. */
const DEFAULT_TIMEOUT_MS = 10_000;
/** The time between two statuses with `--watch`, in milliseconds. */
const WATCH_MS = 2000;

/** `status`. */
export const status: Command = {
  name: "status",
  words: "",
  summary: "Show the state of each topic",
  details: [
    "Asked of the broker: no worker needs to run. States, worst first: stuck, no worker, stalled, unknown, retrying, behind,",
    "paused, ok. The exit code is 0 if every topic is ok or paused, else 1.",
  ],
  flags: [
    APP_FLAG,
    JSON_FLAG,
    { name: "watch", help: "show it again every two seconds, until Ctrl-C" },
    {
      name: "timeout-ms",
      value: "N",
      help: `how long the broker may take, in milliseconds (${DEFAULT_TIMEOUT_MS}); the rest is shown as unknown`,
    },
  ],
  examples: ["status --app app.ts", "status --app app.ts --watch"],
  run: (args, program) => disposing((keep) => run(args, program, keep)),
};

async function run(args: Arguments, program: string, keep: Keep): Promise<number> {
  if (args.words.length > 0) {
    throw new UsageError(`"status" takes options only, but it is given ${show(args.words[0])}`);
  }
  const command = `${program} skip --app ${quoteForShell(args.requireText("app"))}`;
  const limitMs = args.getCount("timeout-ms") ?? DEFAULT_TIMEOUT_MS;
  // A status that is not complete is better than none: it ends before the command would.
  const timeoutMs = Math.min(DEFAULT_TIMEOUT_MS, Math.max(1, limitMs - Math.min(500, limitMs / 2)));
  const ask = (app: App) => app.status({ command, timeoutMs: Math.ceil(timeoutMs) });
  const isJson = args.isSet("json");
  if (!args.isSet("watch")) {
    const found = await runOnApp(args, READ_ONLY, ask);
    for (const line of isJson ? [formatJson(found)] : formatStatus(found)) console.log(line);
    return codeOf(found);
  }
  const { signal } = keep(new StopSignal());
  const stopped = new Promise<null>((resolve) => signal.addEventListener("abort", () => resolve(null)));
  let last = EXIT.failed as number;
  await runOnApp(args, READ_ONLY, async (app, extend) => {
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      extend();
      // Ctrl-C ends it at once, also while a broker does not respond: nothing is changed.
      const found = await Promise.race([ask(app), stopped]);
      if (found === null) break;
      last = codeOf(found);
      if (!showAgain(found, isJson, isFirst)) break;
      extend();
      await sleep(WATCH_MS, signal);
    }
  });
  return last;
}

/**
 * Shows a status in place of the one before on a terminal, and as a further block elsewhere.
 *
 * @returns whether there is still a reader
 */
function showAgain(found: AppStatus, isJson: boolean, isFirst: boolean): boolean {
  if (isJson) return runtime.writeOutput(`${formatJson(found)}\n`);
  const [verdict, ...rest] = formatStatus(found);
  const lines = [`${new Date(found.atMs).toISOString()} ${verdict}`, ...rest];
  const size = runtime.terminalSize;
  if (size !== null) return runtime.writeOutput(`${isFirst ? "\x1b[2J" : ""}${redraw(lines, size)}\n`);
  return runtime.writeOutput(`${(isFirst ? lines : ["", ...lines]).join("\n")}\n`);
}

function codeOf(found: AppStatus): number {
  return listWrong(found).length === 0 ? EXIT.ok : EXIT.failed;
}
