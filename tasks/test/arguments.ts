/** The command line of `deno task test`. */
import { brokerUrl } from "../kafka/for_tests.ts";
import { root } from "../process.ts";
import { type Part, takeRequired, UsageError } from "../requirements.ts";

/** Whether the tests that need a Kafka run: if there is one, in any case, or not at all. */
export type KafkaWish = "auto" | "required" | "off";

/** See the module. */
export interface TestArguments {
  readonly kafka: KafkaWish;
  /** The parts that may not be left out. */
  readonly required: ReadonlySet<Part>;
  /** Whether files that take long are left out. */
  readonly fast: boolean;
  /** Whether the time of each file is measured and written down. */
  readonly recordTimes: boolean;
  /** Files and folders, relative to the root. @default `["tests"]` */
  readonly paths: readonly string[];
  /** Whether paths were given. */
  readonly hasPaths: boolean;
  /** Whether the types are checked before. @default true, `--no-check` turns it off */
  readonly checkTypes: boolean;
  /** The other options, for `deno test`. */
  readonly options: readonly string[];
}

/**
 * Reads the command line.
 *
 * @throws {UsageError} if an argument is unknown, or contradicts another one
 */
export function readArguments(args: readonly string[]): TestArguments {
  const { required, rest } = takeRequired(args);
  let wish: string | undefined;
  let fast = false;
  let recordTimes = false;
  let checkTypes = true;
  const paths: string[] = [];
  const options: string[] = [];
  for (let at = 0; at < rest.length; at++) {
    const arg = rest[at]!;
    if (arg.startsWith("--kafka=")) wish = arg.slice("--kafka=".length);
    else if (arg === "--fast") fast = true;
    else if (arg === "--record-times") recordTimes = true;
    else if (arg === "--no-check") checkTypes = false;
    else if (arg === "--filter") options.push(`--filter=${rest[++at] ?? ""}`);
    else if (arg.startsWith("-")) options.push(arg);
    else paths.push(resolvePath(arg));
  }
  if (recordTimes && (fast || paths.length > 0 || options.length > 0)) {
    throw new UsageError("--record-times measures the whole suite: it takes no paths and no options");
  }
  return {
    kafka: resolveKafkaWish(wish, required),
    required,
    fast,
    recordTimes,
    paths: paths.length > 0 ? paths : ["tests"],
    hasPaths: paths.length > 0,
    checkTypes,
    options,
  };
}

function resolveKafkaWish(wish: string | undefined, required: ReadonlySet<Part>): KafkaWish {
  const isRequired = required.has("kafka");
  if (wish === undefined) return isRequired || brokerUrl !== "" ? "required" : "auto";
  if (wish !== "auto" && wish !== "required" && wish !== "off") {
    throw new UsageError(`Cannot read --kafka: it must be "auto", "required" or "off", but it is "${wish}"`);
  }
  if (isRequired && wish !== "required") throw new UsageError(`--kafka=${wish} contradicts --require kafka`);
  return wish;
}

/** The path relative to the root. */
function resolvePath(path: string): string {
  const relative = path.replace(root.pathname, "").replace(/^\.\/|\/+$/g, "");
  try {
    Deno.statSync(new URL(relative, root));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UsageError(
      `There is no file or folder "${path}"; the value of an option is written with "=": --option=value`,
    );
  }
  return relative;
}
