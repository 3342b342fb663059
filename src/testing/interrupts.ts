/** Interrupts of jobs in steps that a test plans. */
import type { Checkpoint } from "../job/run.ts";
import { nodeBuiltin } from "../support/node_builtin.ts";
import { describeDifferences } from "./messages.ts";
import type { PlannedInterrupt, TestContext } from "./test_context.ts";

/**
 * Calls a function while an interrupt is planned.
 *
 * @throws {AssertionError} if no job came to the place
 */
export async function interruptAt<T>(
  context: TestContext,
  planned: PlannedInterrupt,
  fn: () => T | Promise<T>,
): Promise<T> {
  context.interrupt = planned;
  try {
    const result = await fn();
    if (context.interrupt === null) return result;
  } finally {
    context.interrupt = null;
  }
  const { AssertionError } = nodeBuiltin("node:assert");
  const { jobClass, step, isCompleted } = planned;
  throw new AssertionError({
    message: `No job of class ${jobClass} was interrupted ${
      isCompleted ? "after" : "in"
    } step "${step}": none came there`,
  });
}

/** Returns the reason to interrupt a job at a checkpoint, once; `null` if none is planned there. */
export function takeInterrupt(context: TestContext, jobClass: string, checkpoint: Checkpoint): string | null {
  const planned = context.interrupt;
  if (planned === null || planned.jobClass !== jobClass || planned.step !== checkpoint.step) return null;
  if (planned.isCompleted !== checkpoint.isCompleted) return null;
  if ("cursor" in planned && describeDifferences(planned.cursor, checkpoint.cursor, "cursor").length > 0) return null;
  context.interrupt = null;
  return "stopping";
}
