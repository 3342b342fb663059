/** The generators write files for Deno only: a `deno.json`, and tests for `deno test`. */
import { CommandError } from "../command.ts";
import { runtime } from "../runtime.ts";

/**
 * Refuses a command in Node and Bun.
 *
 * @throws {CommandError} outside of Deno
 */
export function requireDeno(command: string): void {
  if (runtime.name === "deno") return;
  throw new CommandError(
    `"${command}" writes files for Deno: start it with "deno run -A jsr:@activejob/kafka/cli ${command}"`,
  );
}
