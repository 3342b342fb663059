/**
 * A command of the command line: a description, which its help and the parsing of its arguments come from, and a function.
 * A command that fails throws a {@linkcode CommandError}: one line for the user, and an exit code.
 */
import { EXIT } from "./exit_codes.ts";

/** A flag of a command. */
export interface Flag {
  /** The name, without dashes. */
  readonly name: string;
  /** The placeholder of its value, such as `"N"`. A flag without one is a switch. */
  readonly value?: string;
  /** One line of help. */
  readonly help: string;
  /** Whether the command needs it. @default false */
  readonly required?: boolean;
}

/** The parsed arguments of a command. */
export interface Arguments {
  /** The words that are not flags, in order. */
  readonly words: readonly string[];
  /** Whether a switch is set. */
  isSet(name: string): boolean;
  /** Returns the value of a flag; `undefined` if the flag is absent. */
  getText(name: string): string | undefined;
  /**
   * Returns the value of a required flag.
   *
   * @throws {UsageError} if the flag is absent
   */
  requireText(name: string): string;
  /**
   * Returns the number that a flag has as its value; `undefined` if the flag is absent.
   *
   * @throws {UsageError} if the value is not an integer from 1 to 2147483647
   */
  getCount(name: string): number | undefined;
}

/** A command. */
export interface Command {
  /** The name: the first word of the command line. */
  readonly name: string;
  /** The words that it takes, such as `"topic/partition@offset"`; empty for none. */
  readonly words: string;
  /** One line of help. */
  readonly summary: string;
  /** Further lines of help. */
  readonly details: readonly string[];
  /** Its own flags, without those that all commands have. */
  readonly flags: readonly Flag[];
  /** Its actions, which are its first word, each with the flags that not all of them take. @default any words */
  readonly actions?: ReadonlyMap<string, readonly Flag[]>;
  /** Complete command lines, without the start of the program. */
  readonly examples: readonly string[];
  /**
   * Runs the command.
   *
   * @param args its arguments
   * @param program the command line up to the command's name, as it can be typed again
   * @returns the exit code
   * @throws {CommandError} if it fails
   */
  run(args: Arguments, program: string): number | Promise<number>;
}

/** The placeholder of a value that is a file with an App, or a URL. */
export const MODULE = "MODULE";

/** The flag of every command that works on an App. */
export const APP_FLAG: Flag = {
  name: "app",
  value: MODULE,
  help: 'the module that exports the App as "app" or as its default: a path or a URL',
  required: true,
};

/** The flag of the commands that can print data. */
export const JSON_FLAG: Flag = { name: "json", help: "print JSON in one line" };

/** A command failed. The message is for the user, who sees no stack. */
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

/** The command line is wrong: an unknown command or flag, a missing or a malformed value. */
export class UsageError extends CommandError {
  /** `"UsageError"`. */
  override name = "UsageError";

  constructor(message: string) {
    super(message, { code: EXIT.usage });
  }
}
