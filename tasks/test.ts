/**
 * `deno task test [--require kafka,ruby,chromium,node] [--kafka=auto|required|off] [--fast] [--record-times] [paths and options of deno
 * test]`: runs the tests, in three stages.
 *
 * 1. The types of all files are checked.
 * 2. The files run side by side, the longest first: those that need no Kafka, with `tests/behaviours` on the embedded
 *    brokers; and those that need one, `tests/kafka` and `tests/behaviours` again. `tests/kafka/cluster` is left to
 *    `deno task test:cluster`.
 * 3. The files that measure time run one after the other. Such a file has a line that begins with `// Runs alone:` or `// Runs alone on Kafka:` and
 *    says why.
 *
 * The Kafka is the one in `BROKER_URL`, else one that is started for the run on a free port and removed at its end.
 * Without a Kafka its tests are left out, and a line says so; with `--require kafka` (or `--kafka=required`, the
 * default if `BROKER_URL` is set) that is a failure. The same holds for `tests/rails`, which needs a Ruby with Active Job,
 * and `--require ruby`; and for `tests/web/browser`, which needs a Chromium, and `--require chromium`; and for
 * `tests/runtimes`, which needs Node and Bun (`deno run -A tasks/runtimes.ts`), and `--require node`. `--fast` leaves out files that take long. `--record-times`
 * measures each file and writes `tasks/test/times.json`, from which the order and the expected time come.
 *
 * The last line is `N passed, N failed`, counted over all that ran. A run without any test is a failure too.
 */
import { BROWSER_FOLDER, findMissingChromium } from "./chromium.ts";
import { abortOnInterrupt, deno, filesUnder, root } from "./process.ts";
import { type Part, runTask } from "./requirements.ts";
import { findMissingKcat, findMissingRuby, RUBY_FOLDER } from "./ruby.ts";
import { findMissingRuntimes, RUNTIMES_FOLDER } from "./runtimes.ts";
import { readArguments, type TestArguments } from "./test/arguments.ts";
import { BackgroundKafka } from "./test/background_kafka.ts";
import { CLUSTER_FOLDER, formatCount, isWithin, planRuns, type Run, type TestFile, timeKey } from "./test/plan.ts";
import { Report } from "./test/report.ts";
import { execute, sideBySide } from "./test/runner.ts";
import TIMES from "./test/times.json" with { type: "json" };

/**
 * The number of runs at once. More than there are processors would disturb tests that depend on time; more than 4 would
 * slow each other down on the one Kafka.
 */
const AT_ONCE = Math.max(2, Math.min(navigator.hardwareConcurrency, 4));

/** With `--fast`, a file that takes longer is left out. In seconds. */
const FAST_SECONDS = 1;

/** A stage: its text, and a function that returns whether the next stage may follow. */
type Stage = readonly [text: string, run: () => Promise<boolean>];

/** Runs the tests. @returns whether all of them passed */
async function main(given: TestArguments): Promise<boolean> {
  const signal = abortOnInterrupt();
  const files = findTestFiles(given.paths);
  const planned = planRuns(files, TIMES, {
    groupShort: !given.recordTimes,
    ...(given.fast ? { maxSeconds: FAST_SECONDS } : {}),
  });
  const runs = planned.filter(({ onKafka }) => !onKafka || given.kafka !== "off");
  const needsKafka = planned.some(({ onKafka }) => onKafka);
  const report = new Report(runs, AT_ONCE, given.hasPaths && runs.length > 1);
  report.start(files, given.fast);
  {
    await using kafka = new BackgroundKafka(needsKafka && given.kafka !== "off");
    const stages = planStages(given, { runs, report, kafka, signal });
    const isComplete = await runStages(stages, signal);
    if (isComplete && needsKafka) await checkKafka(given, kafka, report);
    for (const program of isComplete ? PROGRAMS : []) await checkProgram(program, given, planned, report);
  }
  if (signal.aborted) console.log("The run was interrupted");
  else if (report.isEmpty) console.log("No test was executed");
  const passed = report.summary() && !signal.aborted;
  if (passed && given.recordTimes) recordTimes(report);
  return passed;
}

/** Runs the stages in order. @returns whether all of them ran to their end */
async function runStages(stages: readonly Stage[], signal: AbortSignal): Promise<boolean> {
  for (const [at, [text, run]] of stages.entries()) {
    console.log(`[${at + 1}/${stages.length}] ${text}`);
    if (!await run() || signal.aborted) return false;
  }
  return true;
}

/** Parts of a run that all stages use. */
interface Session {
  readonly runs: readonly Run[];
  readonly report: Report;
  readonly kafka: BackgroundKafka;
  readonly signal: AbortSignal;
}

function planStages(given: TestArguments, { runs, report, kafka, signal }: Session): Stage[] {
  const perform = async (run: Run) => {
    if (signal.aborted) return;
    const settings = { options: given.options, echo: runs.length === 1, signal };
    const result = await execute(run, run.onKafka ? await kafka.url : null, settings);
    if (!signal.aborted) report.ended(result);
  };
  const performAll = async (some: readonly Run[], atOnce: number) => {
    await sideBySide(some, atOnce, kafka.url.then((url) => url !== null), perform);
    return true;
  };
  const alone = runs.filter(({ isAlone }) => isAlone);
  const others = runs.filter(({ isAlone }) => !isAlone);
  const stages: Stage[] = [];
  if (given.checkTypes) stages.push(["Check the types", () => checkTypes(given, report, signal)]);
  if (others.length > 0) {
    stages.push([`${formatCount(others, "run")} side by side, the longest first`, () => performAll(others, AT_ONCE)]);
  }
  if (alone.length > 0) {
    stages.push([`${formatCount(alone, "run")} one after the other: they measure time`, () => performAll(alone, 1)]);
  }
  return stages;
}

/** Checks the files of the run, or the whole project as `deno task check` does: that result is in Deno's cache. */
async function checkTypes({ hasPaths, paths }: TestArguments, report: Report, signal: AbortSignal): Promise<boolean> {
  const { code } = await deno(["check", "--quiet", ...(hasPaths ? paths : [])], { echo: true, signal });
  if (code !== 0 && !signal.aborted) report.failed("The types are wrong: no test was run");
  return code === 0;
}

/** Says why the tests on Kafka were left out. That is a failure if they are required. */
async function checkKafka(given: TestArguments, kafka: BackgroundKafka, report: Report): Promise<void> {
  await kafka.url;
  const isRequired = given.kafka === "required";
  if (kafka.reason !== null) {
    const text = `The Kafka tests were left out: ${kafka.reason}`;
    if (isRequired) report.failed(text);
    else console.log(text);
    return;
  }
  const hasRun = report.results.some(({ run, passed, failed }) => run.onKafka && passed + failed > 0);
  // Options may choose tests of which none needs a Kafka.
  if (isRequired && given.options.length === 0 && !hasRun) report.failed("No test was executed on the Kafka");
}

/** A program that the tests of one folder need. */
interface Program {
  readonly part: Part;
  readonly name: string;
  readonly folder: string;
  /** Returns why it is missing; `null` if it is there. */
  readonly findMissing: () => Promise<string | null>;
  /** The same for a further program that its tests on a Kafka need. @default none */
  readonly findMissingOnKafka?: () => Promise<string | null>;
}

const PROGRAMS: readonly Program[] = [
  {
    part: "ruby",
    name: "Ruby",
    folder: RUBY_FOLDER,
    findMissing: findMissingRuby,
    findMissingOnKafka: findMissingKcat,
  },
  { part: "chromium", name: "Chromium", folder: BROWSER_FOLDER, findMissing: findMissingChromium },
  { part: "node", name: "Node and Bun", folder: RUNTIMES_FOLDER, findMissing: findMissingRuntimes },
];

/** Says why the tests with a program were left out. That is a failure if they are required. */
async function checkProgram(
  { part, name, folder, findMissing, findMissingOnKafka }: Program,
  { required, options, kafka }: TestArguments,
  planned: readonly Run[],
  report: Report,
): Promise<void> {
  const isRequired = required.has(part);
  const needsIt = ({ paths }: Run) => paths.some((path) => isWithin(path, folder));
  const isOnKafka = kafka !== "off" && planned.some((run) => run.onKafka && needsIt(run));
  let reason = planned.some(needsIt) || isRequired ? await findMissing() : null;
  if (reason === null && isOnKafka) reason = await findMissingOnKafka?.() ?? null;
  if (reason !== null) {
    const text = `The tests with ${name} were left out: ${reason}`;
    if (isRequired) report.failed(text);
    else console.log(text);
    return;
  }
  const hasRun = report.results.some(({ run, passed, failed }) => needsIt(run) && passed + failed > 0);
  // Options may choose tests of which none needs it.
  if (isRequired && options.length === 0 && !hasRun) report.failed(`No test was executed with ${name}`);
}

/** The files of tests in these paths, in order. */
function findTestFiles(paths: readonly string[]): TestFile[] {
  return filesUnder("tests/", "_test.ts").filter((path) => !isWithin(path, CLUSTER_FOLDER))
    .filter((path) => paths.some((given) => isWithin(path, given)))
    .map((path) => ({ path, alone: readAlone(Deno.readTextFileSync(new URL(path, root))) }));
}

/** Reads the line with which a file asks to run alone. */
function readAlone(source: string): TestFile["alone"] {
  const found = /^\/\/ Runs alone( on Kafka)?: /m.exec(source);
  return found === null ? "never" : found[1] === undefined ? "always" : "on Kafka";
}

/** Writes the seconds of the files that take at least one second. */
function recordTimes({ results }: Report): void {
  const times = results.map(({ run, seconds }) => [timeKey(run.paths[0]!, run.onKafka), Math.round(seconds)] as const)
    .filter(([, seconds]) => seconds > 0).sort(([a], [b]) => a < b ? -1 : 1);
  const text = JSON.stringify(Object.fromEntries(times), null, 2);
  Deno.writeTextFileSync(new URL("test/times.json", import.meta.url), `${text}\n`);
}

if (import.meta.main) await runTask((args) => main(readArguments(args)));
