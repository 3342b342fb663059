/**
 * `deno task test [--kafka=auto|required|off] [paths and options of deno test]`: the one test command. First everything
 * that needs no Kafka runs, side by side and with the rows of `tests/behaviours` on the embedded brokers; then what needs
 * one, one file after the other: the rows again, and `tests/kafka`. That Kafka is the one in `BROKER_URL`, else one
 * that is started for the run on a free port and thrown away at its end.
 *
 * Where no Kafka can be had, one line says so; with `--kafka=required`, the default where `BROKER_URL` is set or `CI=true`,
 * that is a failure.
 * The last line is `N passed, N failed`, counted over all that ran. Nothing run is a failure too.
 */
import { deno } from "./process.ts";
import { brokerUrl, kafkaForTests } from "./kafka/for_tests.ts";
import { KafkaUnavailableError } from "./kafka/server.ts";

/** Whether the tests that need a Kafka run: if there is one, in any case, or not. */
type KafkaWish = "auto" | "required" | "off";

/** What a run of the suite came to. */
interface Counts {
  passed: number;
  failed: number;
}

/** The folders whose tests run on a Kafka. */
const KAFKA_FOLDERS = ["tests/kafka", "tests/behaviours"];

async function main(args: readonly string[]): Promise<boolean> {
  const { wish, paths, options } = readArguments(args);
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, interrupt);

  const counts: Counts = { passed: 0, failed: 0 };
  const run = async (args: readonly string[], env: Record<string, string | undefined>) => {
    if (interrupted.signal.aborted) return;
    const command = ["test", "-A", "--permit-no-files", ...options, ...args];
    add(counts, await deno(command, { echo: true, env, signal: interrupted.signal }));
  };
  const executed = () => counts.passed + counts.failed;

  const withoutKafka = paths.filter((path) => !isWithin(path, "tests/kafka"));
  if (withoutKafka.length > 0) {
    await run(["--parallel", "--ignore=tests/kafka", ...withoutKafka], {
      BROKER_URL: undefined,
      TEST_BROKERS: Deno.env.get("TEST_BROKERS") ?? "memory,sqlite",
    });
  }
  const withKafka = paths.flatMap(partsOnKafka);
  let leftOut: string | undefined;
  if (withKafka.length > 0 && !interrupted.signal.aborted) {
    try {
      if (wish === "off") throw new KafkaUnavailableError("--kafka=off was given");
      await using kafka = await kafkaForTests();
      const before = executed();
      await run(withKafka, { BROKER_URL: kafka.url, TEST_BROKERS: "kafka" });
      // Options may choose tests of which none needs a Kafka; the whole suite may not.
      if (wish === "required" && options.length === 0 && executed() === before) {
        console.log("No test was executed on the Kafka");
        counts.failed++;
      }
    } catch (error) {
      if (!(error instanceof KafkaUnavailableError)) throw error;
      leftOut = error.message;
      if (wish === "required") counts.failed++;
    }
  }
  if (leftOut !== undefined) console.log(`The Kafka tests were left out: ${leftOut}`);
  if (interrupted.signal.aborted) console.log("The run was interrupted");
  else if (executed() === 0) console.log("No test was executed");
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed === 0 && counts.passed > 0 && !interrupted.signal.aborted;
}

function readArguments(args: readonly string[]): { wish: KafkaWish; paths: string[]; options: string[] } {
  const wanted = Deno.env.get("CI") === "true" || brokerUrl !== "";
  let wish: string = wanted ? "required" : "auto";
  const paths: string[] = [];
  const options: string[] = [];
  for (const arg of args) {
    const path = arg.replace(/^\.\/|\/+$/g, "");
    if (arg.startsWith("--kafka=")) wish = arg.slice("--kafka=".length);
    else if (!arg.startsWith("-") && exists(path)) paths.push(path);
    else options.push(arg);
  }
  if (wish !== "auto" && wish !== "required" && wish !== "off") {
    console.error(`Cannot read --kafka: it must be "auto", "required" or "off", but it is "${wish}"`);
    Deno.exit(2);
  }
  return { wish, paths: paths.length > 0 ? paths : ["tests"], options };
}

/** What of a path runs on a Kafka: itself, the folders in it, or nothing. */
function partsOnKafka(path: string): string[] {
  if (KAFKA_FOLDERS.some((folder) => isWithin(path, folder))) return [path];
  return KAFKA_FOLDERS.filter((folder) => isWithin(folder, path) && exists(folder));
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Adds what `deno test` says in its last line. It says none if it did not come to run anything. */
function add(counts: Counts, ended: { readonly code: number; readonly stdout: string }): void {
  // deno-lint-ignore no-control-regex
  const text = ended.stdout.replaceAll(/\x1b\[[0-9;]*m/g, "");
  const summary = [...text.matchAll(/^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed/gm)].at(-1);
  const failed = Number(summary?.[2] ?? 0);
  counts.passed += Number(summary?.[1] ?? 0);
  counts.failed += ended.code !== 0 && failed === 0 ? 1 : failed;
}

if (import.meta.main) Deno.exit(await main(Deno.args) ? 0 : 1);
