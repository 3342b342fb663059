/** Actions: the first word of a command that does several things, such as `dlq list`. */
import { show } from "../support/validation.ts";
import { joinWords, nearestOf } from "./arguments.ts";
import { type Arguments, type Command, UsageError } from "./command.ts";

/**
 * Reads the action of a command.
 *
 * @returns the action, and the words behind it
 * @throws {UsageError} if it is none of the command's, or does not take a flag that is set
 */
export function readAction({ name, actions }: Command, args: Arguments): readonly [action: string, ...words: string[]] {
  const known = [...actions!.keys()];
  const [action, ...words] = args.words;
  if (action === undefined) throw new UsageError(`"${name}" needs an action, but none is given (${joinWords(known)})`);
  const own = actions!.get(action);
  if (own === undefined) {
    throw new UsageError(`"${name}" needs an action, but it is ${show(action)}${nearestOf(action, known)}`);
  }
  for (const flag of [...actions!.values()].flat()) {
    if (own.includes(flag) || !args.isSet(flag.name)) continue;
    throw new UsageError(`"${name} ${action}" does not take the option "--${flag.name}"`);
  }
  return [action, ...words];
}
