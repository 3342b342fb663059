/**
 * What a command is: a description, from which its help and the reading of its arguments are made, and a function. And how
 * a command fails: with one line for people, and an exit code.
 */
import { EXIT } from "./exit_codes.ts";

/** A flag of a command. */
export interface Flag {
  /** Its name, without dashes. */
  readonly name: string;
  /** What stands after it, such as `"N"`; a flag without one is a switch. */
  readonly value?: string;
  /** What it does. */
  readonly help: string;
  /** Whether the command cannot do without it. @default false */
  readonly required?: boolean;
}

/** What a command was given. */
export interface Arguments {
  /** The words between the flags. */
  readonly words: readonly string[];
  /** Whether a switch is set. */
  isSet(name: string): boolean;
  /** The text of a flag, `undefined` where it is not given. */
  text(name: string): string | undefined;
  /** The text of a flag that is required. */
  required(name: string): string;
  /**
   * The number of a flag, `undefined` where it is not given.
   *
   * @throws {UsageError} if it is no integer from 1 up
   */
  count(name: string): number | undefined;
}

/** A command. */
export interface Command {
  /** Its name: the first word of the command line. */
  readonly name: string;
  /** What stands behind its flags, such as `"topic/partition@offset"`; empty for nothing. */
  readonly words: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** What else there is to say. */
  readonly details: readonly string[];
  /** Its flags, without those that all commands have. */
  readonly flags: readonly Flag[];
  /** Command lines, without what starts the program. */
  readonly examples: readonly string[];
  /**
   * Does it.
   *
   * @param program the command line up to the command's name, as it can be typed again
   * @returns the exit code
   */
  run(given: Arguments, program: string): number | Promise<number>;
}

/** The flag of all commands that work on an App. */
export const APP_FLAG: Flag = {
  name: "app",
  value: "MODULE",
  help: 'the module that exports the App, as "app" or as its default: a path or a URL',
  required: true,
};

/** What a command could not do. Its message is for people; there is no stack to look at. */
export class CommandError extends Error {
  /** `"CommandError"`. */
  override name = "CommandError";
  /** The exit code. */
  readonly code: number;

  constructor(message: string, options: ErrorOptions & { code?: number } = {}) {
    super(message, options);
    this.code = options.code ?? EXIT.failed;
  }
}

/** A command line that cannot be understood. */
export class UsageError extends CommandError {
  /** `"UsageError"`. */
  override name = "UsageError";

  constructor(message: string) {
    super(message, { code: EXIT.usage });
  }
}
