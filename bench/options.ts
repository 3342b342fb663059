/** The command line of the bench: the benches to run, how large, and the files of the report. Pure functions. */
import { parseArgs } from "node:util";
import { didYouMean } from "../src/support/validation.ts";
import { UsageError } from "../tasks/requirements.ts";

/** The size of a run. */
export interface Size {
  /** Runs of each program; a figure is their median. */
  readonly rounds: number;
  /** The same of programs that take a second or less, which vary more. */
  readonly quickRounds: number;
  /** No-op jobs of the usual size; other workloads are a share of it. */
  readonly jobs: number;
  /** The most bytes of one filled topic, which limits the number of large jobs. */
  readonly topicBytes: number;
  /** The duration of a measurement of latency or idleness, in seconds. */
  readonly seconds: number;
  /** Numbers of partitions of the no-op jobs on Kafka. */
  readonly partitions: readonly number[];
  /** Sizes of an envelope, in bytes. */
  readonly payloads: readonly number[];
  /** Values of `concurrency` for jobs that wait. */
  readonly concurrency: readonly number[];
}

/** A command line. */
export interface CommandLine {
  /** Whether it is the short form. */
  readonly isShort: boolean;
  /** The benches and groups that it names; none for all. */
  readonly names: readonly string[];
  /** The size of the run. */
  readonly size: Size;
  /** The file of the report as JSON; `null` for none. */
  readonly json: string | null;
  /** The file of the report as Markdown; `null` for none. */
  readonly markdown: string | null;
}

const LONG: Size = {
  rounds: 5,
  quickRounds: 10,
  jobs: 1_000_000,
  topicBytes: 600_000_000,
  seconds: 10,
  partitions: [1, 4, 24, 64, 256],
  payloads: [300, 3_000, 30_000, 300_000],
  concurrency: [1, 10, 100, 1000],
};

/** Each bar once, in about five minutes. */
const SHORT: Size = { ...LONG, rounds: 1, quickRounds: 5, jobs: 200_000, topicBytes: 60_000_000, seconds: 3 };

const OPTIONS = ["rounds", "jobs", "seconds", "partitions", "payloads", "concurrency", "json", "markdown"] as const;

/**
 * Reads a command line: `[short] [name …] [--rounds=N] [--jobs=N] [--seconds=N] [--partitions=N,…]
 * [--payloads=KB,…] [--concurrency=N,…] [--json=FILE] [--markdown=FILE]`.
 *
 * @param known the names of benches and groups
 * @throws {UsageError} if a name or an option is unknown, or a value is not a positive number
 */
export function parseCommandLine(args: readonly string[], known: readonly string[]): CommandLine {
  const { positionals, values } = parse(args);
  const isShort = positionals.includes("short");
  const names = positionals.filter((name) => name !== "short");
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UsageError(`No bench is called "${unknown}"${didYouMean(unknown, known)}`);
  const form = isShort ? SHORT : LONG;
  const rounds = values.rounds === undefined ? null : count("rounds", values.rounds);
  const list = (name: "partitions" | "concurrency") =>
    values[name]?.split(",").map((item) => count(name, item)) ?? form[name];
  return {
    isShort,
    names,
    size: {
      rounds: rounds ?? form.rounds,
      quickRounds: rounds ?? form.quickRounds,
      jobs: values.jobs === undefined ? form.jobs : count("jobs", values.jobs),
      topicBytes: form.topicBytes,
      seconds: values.seconds === undefined ? form.seconds : positive("seconds", values.seconds),
      partitions: list("partitions"),
      payloads: values.payloads?.split(",").map((item) => Math.round(positive("payloads", item) * 1000)) ??
        form.payloads,
      concurrency: list("concurrency"),
    },
    json: values.json ?? null,
    markdown: values.markdown ?? null,
  };
}

type Values = { readonly [name in typeof OPTIONS[number]]?: string };

function parse(args: readonly string[]): { positionals: readonly string[]; values: Values } {
  const options = Object.fromEntries(OPTIONS.map((name) => [name, { type: "string" as const }]));
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true }) as ReturnType<typeof parse>;
  } catch (error) {
    throw new UsageError(`Cannot read the command line: ${(error as Error).message}`, { cause: error });
  }
}

function count(name: string, text: string): number {
  const value = positive(name, text);
  if (!Number.isSafeInteger(value)) throw new UsageError(`--${name} must be a whole number, but is "${text}"`);
  return value;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0) || value === Infinity) {
    throw new UsageError(`--${name} must be a positive number, but is "${text}"`);
  }
  return value;
}

/** Returns the number of jobs of so many bytes that a run of this size has. */
export function jobsOf({ jobs, topicBytes }: Size, bytes: number): number {
  return Math.min(jobs, Math.max(1, Math.floor(topicBytes / bytes)));
}
