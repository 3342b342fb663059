/**
 * `worker`: performs jobs until it is stopped. A skin over `app.worker()`: it adds signals, exit codes, and the attribution
 * of rejections that nobody handles. Everything is asked of the App, which may come from another copy of this library.
 */
import process from "node:process";
import type { App } from "../app/app.ts";
import { show } from "../support/validation.ts";
import type { Worker, WorkerReport } from "../worker/worker.ts";
import { APP_FLAG, type Arguments, type Command, UsageError } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { HEALTH_FLAGS, healthAddress, serveHealth } from "./health.ts";
import { quoted } from "./invocation.ts";
import { loadApp } from "./load_app.ts";
import { printPermissions } from "./permissions.ts";
import { printError } from "./print_error.ts";
import { count, stillRunning } from "./running_jobs.ts";
import { Signals } from "./signals.ts";
import { Uncaught } from "./uncaught.ts";
import { formatPosition } from "../support/position.ts";

/** What is left of a stop's time for buffered enqueues is never less, in milliseconds. */
const LEAST_FLUSH_MS = 1000;

/** `worker`. */
export const worker: Command = {
  name: "worker",
  words: "",
  summary: "Perform jobs until stopped",
  details: [
    "INT, TERM and QUIT stop it: running jobs may finish within the App's shutdownTimeoutMs; a second signal of the same",
    "kind, a second later or more, forces the end. TSTP quiets it: no new job starts, the partitions are kept.",
    "",
    "It can do without -A. --print-permissions prints what the App's modules and its broker need; add what the jobs touch",
    "themselves, and the brokers of a Kafka cluster that the App does not name, but the cluster does.",
  ],
  flags: [
    APP_FLAG,
    { name: "concurrency", value: "N", help: "how many jobs run at once (the App's concurrency)" },
    { name: "topics", value: "A,B", help: "work on these topics only" },
    { name: "once", help: "perform what is there now, then end" },
    { name: "create-topics", help: "create topics that do not exist, as the App declares them" },
    ...HEALTH_FLAGS,
    { name: "print-permissions", help: "print the flags of deno run that this App needs in place of -A, then end" },
  ],
  examples: [
    "worker --app app.ts",
    "worker --app app.ts --concurrency 20 --topics default,mail",
    "worker --app app.ts --once",
    "worker --app app.ts --health-port 9090",
    "worker --app app.ts --print-permissions",
  ],
  run,
};

async function run(given: Arguments, program: string): Promise<number> {
  if (given.words.length > 0) {
    const [word] = given.words;
    const meant = given.text("app") === undefined ? `; did you mean --app ${quoted(word!)}?` : "";
    throw new UsageError(`"worker" takes options only, but it is given ${show(word)}${meant}`);
  }
  const module = given.required("app");
  const concurrency = given.count("concurrency");
  const topics = readTopics(given.text("topics"));
  const address = healthAddress(given);
  if (given.isSet("print-permissions")) return await printPermissions(module, address);
  // A reader of the logs that is gone is no reason to stop.
  process.stderr.on("error", () => {});
  let app: App | null = null;
  let worker: Worker | undefined;
  let isQuiet = false;
  using signals = new Signals({
    stop(signal) {
      const running = worker?.running() ?? [];
      // TERM comes from a supervisor, which asks for no word; whoever presses Ctrl-C waits in front of it.
      if (signal !== "SIGINT" || running.length === 0) return;
      const limit = `${app!.shutdownTimeoutMs / 1000} s`;
      console.error(`Waiting for at most ${limit}, since ${stillRunning(running)} (a second Ctrl-C ends it at once)`);
    },
    quiet() {
      isQuiet = true;
      worker?.quiet();
    },
    force(signal, code) {
      const running = worker?.running() ?? [];
      printError(`Forced by a second ${signal}${running.length === 0 ? "" : `: ${stillRunning(running)}`}`);
      Deno.exit(code);
    },
  });
  app = await untilStopped(loadApp(module), signals.stop);
  if (app === null) return EXIT.ok;
  const skipCommand = `${program} skip --app ${quoted(module)}`;
  try {
    worker = app.worker({
      command: skipCommand,
      createTopics: given.isSet("create-topics"),
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(topics === undefined ? {} : { topics }),
    });
    if (isQuiet) worker.quiet();
    using _health = address === null ? null : serveHealth(address, app, worker);
    using _uncaught = new Uncaught(app, worker, skipCommand);
    const report = await worker.run(signals.stop, { once: given.isSet("once") });
    const leftMs = app.shutdownTimeoutMs - signals.sinceStopMs;
    const undelivered = await app.close(Math.max(leftMs, LEAST_FLUSH_MS));
    return conclude(report, undelivered, app.shutdownTimeoutMs, skipCommand);
  } finally {
    await app.close(LEAST_FLUSH_MS);
  }
}

function readTopics(text: string | undefined): string[] | undefined {
  const topics = text?.split(",").map((topic) => topic.trim()).filter((topic) => topic !== "");
  if (topics?.length !== 0) return topics;
  throw new UsageError(`Option "--topics" must name topics, such as default,mail, but it is ${show(text)}`);
}

/** Says what did not end well. @returns the exit code */
function conclude(report: WorkerReport, undelivered: number, shutdownTimeoutMs: number, skipCommand: string): number {
  const left: string[] = [];
  if (report.unfinished.length > 0) left.push(stillRunning(report.unfinished));
  if (undelivered > 0) left.push(`${count(undelivered, "job was", "jobs were")} not delivered`);
  if (left.length > 0) {
    printError(`The worker could not stop within ${shutdownTimeoutMs} ms: ${left.join("; ")}`);
    return EXIT.unfinished;
  }
  if (report.stuck.length === 0) return EXIT.ok;
  const stuck = report.stuck.map((at) =>
    `${formatPosition(at)} (to pass it over: ${skipCommand} ${formatPosition(at)})`
  );
  printError(`${count(stuck.length, "partition stands", "partitions stand")} still: ${stuck.join("; ")}`);
  return EXIT.stuck;
}

/** Waits for a promise, but not beyond a stop. */
async function untilStopped<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const stopped = Promise.withResolvers<null>();
  const stop = () => stopped.resolve(null);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([promise, stopped.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
