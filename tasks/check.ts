/**
 * `deno task check [--no-tests]`: the fast checks that each commit must pass. Beside them run the tests that need no
 * Kafka and are short, with `tests/behaviours` on the memory broker only. The first failure ends it, with the output of
 * that step.
 *
 * `--no-tests` leaves the tests to `deno task test`.
 */
import config from "../deno.json" with { type: "json" };
import { deno } from "./process.ts";

/** A check: its name for people, and the arguments of `deno`. */
type Check = readonly [name: string, args: readonly string[]];

/** The checks, those that take long first. Only "types" checks types, those of all files. */
const CHECKS: readonly Check[] = [
  ["types", ["check", "--quiet"]],
  ["lint", ["lint"]],
  ["publish dry run", ["publish", "--dry-run", "--allow-dirty", "--no-check"]],
  ["doc lint", ["doc", "--lint", ...Object.values(config.exports)]],
  ["imports", ["run", "-A", "tasks/imports.ts"]],
  ["format", ["fmt", "--check"]],
];

/** The tests of a commit. Another check looks at their types. */
const TESTS: Check = ["tests", ["run", "-A", "tasks/test.ts", "--kafka=off", "--fast", "--no-check"]];

async function main(args: readonly string[]): Promise<boolean> {
  const startedMs = performance.now();
  const seconds = () => ((performance.now() - startedMs) / 1000).toFixed(1);
  const checks = args.includes("--no-tests") ? CHECKS : [...CHECKS, TESTS];
  if (!await runChecks(checks, seconds)) return false;
  console.log(`All checks passed after ${seconds()} s`);
  return true;
}

async function runChecks(checks: readonly Check[], seconds: () => string): Promise<boolean> {
  const failed = new AbortController();
  await Promise.all(checks.map(async (check) => {
    const [name, args] = check;
    const echo = check === TESTS;
    const { code, stdout, stderr } = await deno(args, {
      echo,
      env: { TEST_BROKERS: "memory" },
      signal: failed.signal,
    });
    // The others end because of the first failure: their output says nothing.
    if (failed.signal.aborted) return;
    if (code !== 0) {
      failed.abort();
      console.error(`${echo ? "" : stdout + stderr}\nFAILED: ${name} (deno ${args.join(" ")})`);
    } else console.log(`ok: ${name} (after ${seconds()} s)`);
  }));
  return !failed.signal.aborted;
}

if (import.meta.main) Deno.exit(await main(Deno.args) ? 0 : 1);
