/**
 * `worker`: performs jobs until it is stopped. It adds to `app.worker()`: signals, exit codes, the health server, and reports
 * of uncaught errors.
 *
 * 1. Listens to signals, so that everything after this can be stopped.
 * 2. Loads the App, which may come from another copy of this library, and creates its worker.
 * 3. Runs the worker until a signal comes; with `--once`, until the jobs that are there are done.
 * 4. Closes the App in the time that is left, and returns the exit code.
 */
import process from "node:process";
import type { App } from "../app/app.ts";
import { show } from "../support/validation.ts";
import type { Worker, WorkerReport } from "../worker/worker.ts";
import { APP_FLAG, type Arguments, type Command, UsageError } from "./command.ts";
import { disposing, type Keep } from "./disposing.ts";
import { EXIT } from "./exit_codes.ts";
import { HEALTH_FLAGS, readHealthAddress, serveHealth } from "./health.ts";
import { quoteForShell } from "../support/shell.ts";
import { loadApp } from "./load_app.ts";
import { printPermissions } from "./permissions.ts";
import { printError, printLine } from "./print_error.ts";
import { stderr } from "../support/stderr.ts";
import { formatCount, formatRunningJobs } from "./running_jobs.ts";
import { runtime } from "./runtime.ts";
import { WorkerSignals } from "./signals.ts";
import { UncaughtErrorReporter } from "./uncaught_errors.ts";
import { formatPosition } from "../support/position.ts";
import { waitUntilAborted } from "../support/deadline.ts";

/** The least time for enqueues that are buffered when the worker has stopped, in milliseconds. */
const MIN_FLUSH_MS = 1000;

/** `worker`. */
export const worker: Command = {
  name: "worker",
  words: "",
  summary: "Perform jobs until stopped",
  details: [
    "INT, TERM and QUIT stop it: running jobs may finish within the App's shutdownTimeoutMs; a second signal of the same",
    "kind, a second later or more, forces the end. TSTP quiets it: no new job starts, the partitions are kept.",
    "",
    "It does not need -A. --print-permissions prints the flags that the App's modules and its broker need. Add what the",
    "jobs use themselves, and those brokers of a Kafka cluster that the cluster advertises and the App does not name.",
  ],
  flags: [
    APP_FLAG,
    { name: "concurrency", value: "N", help: "how many jobs run at once (the App's concurrency)" },
    { name: "topics", value: "A,B", help: "consume these topics only" },
    { name: "once", help: "perform the jobs that are there now, then end" },
    { name: "create-topics", help: "create missing topics as the App declares them" },
    { name: "no-scheduler", help: "take no part in releasing delayed jobs" },
    ...HEALTH_FLAGS,
    { name: "print-permissions", help: "print the flags of deno run that this App needs instead of -A, then end" },
  ],
  examples: [
    "worker --app app.ts",
    "worker --app app.ts --concurrency 20 --topics default,mail",
    "worker --app app.ts --once",
    "worker --app app.ts --health-port 9090",
    "worker --app app.ts --print-permissions",
  ],
  run: runWorker,
};

function runWorker(args: Arguments, program: string): Promise<number> {
  return disposing((keep) => runUntilStopped(args, program, keep));
}

async function runUntilStopped(args: Arguments, program: string, keep: Keep): Promise<number> {
  if (args.words.length > 0) {
    const [word] = args.words;
    const hint = args.getText("app") === undefined ? `; did you mean --app ${quoteForShell(word!)}?` : "";
    throw new UsageError(`"worker" takes options only, but it is given ${show(word)}${hint}`);
  }
  const module = args.requireText("app");
  const concurrency = args.getCount("concurrency");
  const topics = readTopics(args.getText("topics"));
  const address = readHealthAddress(args);
  if (args.isSet("print-permissions")) return await printPermissions(module, address);
  // The worker continues if the reader of its logs has gone.
  process.stderr.on("error", () => {});
  let app: App | null = null;
  let worker: Worker | undefined;
  let isQuiet = false;
  const signals = keep(
    new WorkerSignals({
      stop(signal) {
        const running = worker?.running() ?? [];
        // A supervisor sends TERM and reads no reply; a user who presses Ctrl-C waits in front of the terminal.
        if (signal !== "SIGINT" || running.length === 0) return;
        const limit = `${app!.shutdownTimeoutMs / 1000} s`;
        printLine(
          `Waiting for at most ${limit}, since ${formatRunningJobs(running)} (a second Ctrl-C ends it at once)`,
        );
      },
      quiet() {
        isQuiet = true;
        worker?.quiet();
      },
      force(signal, code) {
        const running = worker?.running() ?? [];
        printError(`Forced by a second ${signal}${running.length === 0 ? "" : `: ${formatRunningJobs(running)}`}`);
        stderr.flushNow();
        runtime.exit(code);
      },
    }),
  );
  app = await waitUntilAborted(loadApp(module), signals.stop);
  if (app === null) return EXIT.ok;
  const skipCommand = `${program} skip --app ${quoteForShell(module)}`;
  try {
    worker = app.worker({
      command: skipCommand,
      createTopics: args.isSet("create-topics"),
      scheduler: !args.isSet("no-scheduler"),
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(topics === undefined ? {} : { topics }),
    });
    if (isQuiet) worker.quiet();
    if (address !== null) keep(await serveHealth(address, app, worker));
    keep(new UncaughtErrorReporter(app, worker, skipCommand));
    const report = await worker.run(signals.stop, { once: args.isSet("once") });
    const leftMs = app.shutdownTimeoutMs - signals.sinceStopMs;
    // A job that could not be enqueued while the worker ran has been reported: it does not make the stop a failure.
    const reported = app.undelivered;
    const undelivered = await app.close(Math.max(leftMs, MIN_FLUSH_MS)) - reported;
    return reportOutcome(report, undelivered, app.shutdownTimeoutMs, skipCommand);
  } finally {
    await app.close(MIN_FLUSH_MS);
  }
}

function readTopics(text: string | undefined): string[] | undefined {
  const topics = text?.split(",").map((topic) => topic.trim()).filter((topic) => topic !== "");
  if (topics?.length !== 0) return topics;
  throw new UsageError(`Option "--topics" must name topics, such as default,mail, but it is ${show(text)}`);
}

/** Prints what is unfinished, undelivered or stuck. @returns the exit code */
function reportOutcome(
  report: WorkerReport,
  undelivered: number,
  shutdownTimeoutMs: number,
  skipCommand: string,
): number {
  const left: string[] = [];
  if (report.unfinished.length > 0) left.push(formatRunningJobs(report.unfinished));
  if (undelivered > 0) left.push(`${formatCount(undelivered, "job was", "jobs were")} not delivered`);
  if (left.length > 0) {
    printError(`The worker could not stop within ${shutdownTimeoutMs} ms: ${left.join("; ")}`);
    return EXIT.unfinished;
  }
  if (report.stuck.length === 0) return EXIT.ok;
  const stuck = report.stuck.map((at) =>
    `${formatPosition(at)} (to pass it over: ${skipCommand} ${formatPosition(at)})`
  );
  printError(`${formatCount(stuck.length, "partition is", "partitions are")} stuck: ${stuck.join("; ")}`);
  return EXIT.stuck;
}
