/** Blocks: functions that a test passes to an assertion, which then looks only at the jobs of the block. */
import { InvalidConfigurationError } from "../errors.ts";
import type { JobClass } from "../job/job.ts";
import { isJobClass } from "../job/job_checks.ts";
import { show } from "../support/validation.ts";

/** A function of a test. It is awaited; its result is ignored. */
export type Block = () => unknown;

/**
 * Separates the arguments of an assertion: options, a block, or both.
 *
 * @throws {InvalidConfigurationError} if the block is not a function, for example a job class
 */
export function splitArguments<Options extends object>(
  what: string,
  first: Options | Block | undefined,
  second: Block | undefined,
): [Options, Block | undefined] {
  const [options, block] = typeof first === "function"
    ? [{} as Options, first as Block]
    : [first ?? {} as Options, second];
  checkBlock(what, block);
  return [options, block];
}

/**
 * Checks a block.
 *
 * @throws {InvalidConfigurationError} if it is not a function, for example a job class
 */
export function checkBlock(what: string, block: Block | undefined): void {
  if (block === undefined || (typeof block === "function" && !isJobClass(block))) return;
  const meant = isJobClass(block) ? `; did you mean { only: ${(block as JobClass).name} }?` : "";
  throw new InvalidConfigurationError(`The block of ${what} must be a function, but it is ${show(block)}${meant}`);
}
