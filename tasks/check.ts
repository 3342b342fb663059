/**
 * `deno task check [--no-tests]`: the fast checks that each commit must pass. The checks run side by side; then the
 * tests that need no Kafka and take no longer than a few seconds, with `tests/behaviours` on the memory broker only.
 * The first failure ends it, with the output of that step.
 *
 * `--no-tests` leaves the tests to `deno task test`.
 */
import { deno } from "./process.ts";

const ENTRY_POINTS = ["mod.ts", "src/cli/mod.ts", "src/testing/mod.ts", "src/web/mod.ts"];

/** The checks, those that take long first. Only "types" checks types, those of all files. */
const CHECKS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ["types", ["check", "--quiet"]],
  ["lint", ["lint"]],
  ["publish dry run", ["publish", "--dry-run", "--allow-dirty", "--no-check"]],
  ["doc lint", ["doc", "--lint", ...ENTRY_POINTS]],
  ["imports", ["run", "-A", "tasks/imports.ts"]],
  ["format", ["fmt", "--check"]],
];

/** The tests of a commit. Their types were checked before. */
const TESTS = ["run", "-A", "tasks/test.ts", "--kafka=off", "--fast", "--no-check"];

async function main(args: readonly string[]): Promise<boolean> {
  const startedMs = performance.now();
  const seconds = () => ((performance.now() - startedMs) / 1000).toFixed(1);
  if (!await runChecks(seconds)) return false;
  if (!args.includes("--no-tests")) {
    const { code } = await deno(TESTS, { echo: true, env: { TEST_BROKERS: "memory" } });
    if (code !== 0) {
      console.error("FAILED: tests (deno task test --kafka=off --fast)");
      return false;
    }
  }
  console.log(`All checks passed after ${seconds()} s`);
  return true;
}

async function runChecks(seconds: () => string): Promise<boolean> {
  const failed = new AbortController();
  await Promise.all(CHECKS.map(async ([name, args]) => {
    const { code, stdout, stderr } = await deno(args, { signal: failed.signal });
    // The others end because of the first failure: their output says nothing.
    if (failed.signal.aborted) return;
    if (code !== 0) {
      failed.abort();
      console.error(`${stdout}${stderr}\nFAILED: ${name} (deno ${args.join(" ")})`);
    } else console.log(`ok: ${name} (after ${seconds()} s)`);
  }));
  return !failed.signal.aborted;
}

if (import.meta.main) Deno.exit(await main(Deno.args) ? 0 : 1);
