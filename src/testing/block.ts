/** Blocks: an assertion around one looks only at what came of it. */
import { InvalidConfigurationError } from "../errors.ts";
import { isJobClass, type JobClass } from "../job/job.ts";
import { show } from "../support/validation.ts";

/** What a test does in the middle of an assertion. It is awaited; what it answers is left alone. */
export type Block = () => unknown;

/**
 * What was given: options, a block, or both.
 *
 * @throws {InvalidConfigurationError} for a block that is no function, such as a job class
 */
export function optionsAndBlock<Options extends object>(
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
 * Refuses what is no block.
 *
 * @throws {InvalidConfigurationError} if it is no function, such as a job class
 */
export function checkBlock(what: string, block: Block | undefined): void {
  if (block === undefined || (typeof block === "function" && !isJobClass(block))) return;
  const meant = isJobClass(block) ? `; did you mean { only: ${(block as JobClass).name} }?` : "";
  throw new InvalidConfigurationError(`The block of ${what} must be a function, but it is ${show(block)}${meant}`);
}
