/** The lines that `deno task test` prints: stages, one line for each run that has ended, and the counts. */
import { estimateSeconds, formatCount, formatSeconds, type Run, type TestFile } from "./plan.ts";
import type { Counts, RunResult } from "./runner.ts";

/** See the module. */
export class Report {
  readonly #runs: readonly Run[];
  readonly #atOnce: number;
  readonly #verbose: boolean;
  readonly #results: RunResult[] = [];
  readonly #counts: Counts = { passed: 0, failed: 0 };

  /** @param verbose whether the output of runs that passed is shown as well */
  constructor(runs: readonly Run[], atOnce: number, verbose: boolean) {
    this.#runs = runs;
    this.#atOnce = atOnce;
    this.#verbose = verbose;
  }

  /** The runs that have ended. */
  get results(): readonly RunResult[] {
    return this.#results;
  }

  /** Whether no test has run yet. */
  get isEmpty(): boolean {
    return this.#counts.passed + this.#counts.failed === 0;
  }

  /** Announces the plan. With `isFast`, also how many files were left out because they take long. */
  start(files: readonly TestFile[], isFast: boolean): void {
    const seconds = estimateSeconds(this.#runs, this.#atOnce);
    const onKafka = this.#runs.filter(({ onKafka }) => onKafka).length;
    console.log(
      `${formatCount(files, "file")} in ${
        formatCount(this.#runs, "run")
      }, ${onKafka} on Kafka, ${this.#atOnce} at once: ` +
        `expected time ${formatSeconds(seconds)}`,
    );
    if (!isFast) return;
    const planned = new Set(this.#runs.flatMap(({ paths }) => paths));
    const long = files.filter(({ path }) => !planned.has(path));
    console.log(`--fast leaves out ${formatCount(long, "file")} that take long; "deno task test" runs them`);
  }

  /** Counts a run and prints its line. The output of a run that failed is always shown. */
  ended(result: RunResult): void {
    const { run: { name }, passed, failed, seconds, output } = result;
    this.#results.push(result);
    this.#counts.passed += passed;
    this.#counts.failed += failed;
    if (this.#verbose || failed > 0) console.log(output.trimEnd());
    const number = String(this.#results.length).padStart(String(this.#runs.length).length);
    const outcome = failed > 0 ? `${passed} passed, ${failed} FAILED` : `${passed} passed`;
    const time = `${seconds.toFixed(1)} s`.padStart(7);
    console.log(`${number}/${this.#runs.length} ${time}  ${name}: ${outcome}${this.#rest()}`);
  }

  /** Counts a failure that is not a test's, and prints it. */
  failed(text: string): void {
    console.log(text);
    this.#counts.failed++;
  }

  /** Prints the last line. @returns whether tests ran, and none failed */
  summary(): boolean {
    const failed = this.#results.filter(({ failed }) => failed > 0);
    if (failed.length > 0) console.log(`Failed: ${failed.map(({ run }) => run.name).join(", ")}`);
    console.log(`${this.#counts.passed} passed, ${this.#counts.failed} failed`);
    return this.#counts.failed === 0 && this.#counts.passed > 0;
  }

  /** The time that is left, by the pace of the runs so far. */
  #rest(): string {
    const ended = new Set(this.#results.map(({ run }) => run));
    const left = this.#runs.filter((run) => !ended.has(run));
    if (left.length === 0) return "";
    const sum = (seconds: readonly number[]) => seconds.reduce((total, each) => total + each, 0);
    const pace = sum(this.#results.map(({ seconds }) => seconds)) / sum([...ended].map(({ seconds }) => seconds));
    return ` (${formatSeconds(estimateSeconds(left, this.#atOnce) * pace)} left)`;
  }
}
