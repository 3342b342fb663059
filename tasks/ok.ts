/**
 * `deno task ok [--no-tests]`: what must hold before every commit. The checks run side by side, then the tests that need no
 * Kafka, the rows on the memory log only; the first failure ends it, with what that step had to say. `--no-tests` leaves the
 * tests to `deno task test`.
 */
import { deno } from "./process.ts";

const DOORS = ["mod.ts", "src/cli/mod.ts", "src/testing/mod.ts", "src/web/mod.ts"];

const CHECKS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ["fmt", ["fmt", "--check"]],
  ["lint", ["lint"]],
  ["imports", ["run", "-A", "tasks/imports.ts"]],
  ["doc lint", ["doc", "--lint", ...DOORS]],
  ["check", ["check"]],
  ["publish dry run", ["publish", "--dry-run", "--allow-dirty"]],
];

async function main(args: readonly string[]): Promise<void> {
  const startedMs = performance.now();
  const failed = new AbortController();
  await Promise.all(CHECKS.map(async ([name, args]) => {
    const { code, stdout, stderr } = await deno(args, { signal: failed.signal });
    // Those that ended because another one failed have nothing to say.
    if (failed.signal.aborted) return;
    if (code !== 0) {
      failed.abort();
      console.error(`${stdout}${stderr}\nNot ok: ${name} (deno ${args.join(" ")})`);
    } else console.log(`ok: ${name}`);
  }));
  if (failed.signal.aborted) Deno.exit(1);
  if (!args.includes("--no-tests")) {
    // "check" has seen the types of all files.
    const test = ["run", "-A", "tasks/test.ts", "--kafka=off", "--no-check"];
    const { code } = await deno(test, { echo: true, env: { TEST_BROKERS: "memory" } });
    if (code !== 0) {
      console.error("Not ok: tests (deno task test --kafka=off)");
      Deno.exit(1);
    }
  }
  console.log(`All ok after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
}

if (import.meta.main) await main(Deno.args);
