/**
 * The conformance suite: the rules of the broker interface as tests, the same for each broker. It is about records,
 * offsets and groups, never about jobs.
 *
 * The `conformance_test.ts` of a broker calls {@linkcode conformance} with a harness, and asserts which cases were
 * skipped.
 */
import { admin } from "./admin.ts";
import { append } from "./append.ts";
import { closing } from "./closing.ts";
import { commits } from "./commits.ts";
import { compaction } from "./compaction.ts";
import { flow } from "./flow.ts";
import { groups } from "./groups.ts";
import type { Case } from "./case.ts";
import { type Harness, has, type Skip } from "./harness.ts";
import { log } from "./log.ts";
import { ownership } from "./ownership.ts";
import { reading } from "./reading.ts";
import { World } from "./world.ts";

export type { Harness, Need, Skip } from "./harness.ts";

/** All cases. */
const CASES: readonly Case[] = [
  ...append,
  ...groups,
  ...ownership,
  ...commits,
  ...flow,
  ...log,
  ...closing,
  ...admin,
  ...reading,
  ...compaction,
];

/**
 * Registers a test for each case that the broker can pass.
 *
 * @param harness the broker under test
 * @param test registers a test, as `Deno.test` does
 * @returns the cases from which the broker is excused
 */
export function conformance(harness: Harness, test: (name: string, run: () => Promise<void>) => void): readonly Skip[] {
  const skips: Skip[] = [];
  for (const { name, needs = [], run } of CASES) {
    const missing = needs.find((need) => !has(harness, need));
    if (missing !== undefined) skips.push({ name, missing });
    else test(`${harness.name}: ${name}`, () => runIn(harness, run));
  }
  return skips;
}

async function runIn(harness: Harness, run: Case["run"]): Promise<void> {
  // Not `await using`, which Node 22 cannot read: `tests/runtimes` runs this file there.
  const world = new World(harness);
  try {
    await run(world);
    world.check();
  } finally {
    await world[Symbol.asyncDispose]();
  }
}
