/** Command lines as test cases: each runs as a real child process, with its exit code and its first line of output. */
import { assertEquals, assertMatch } from "@std/assert";
import { cli } from "./child.ts";

/** A command line, and how it ends. */
export interface CommandLine {
  readonly args: readonly string[];
  readonly code: number;
  /** The first line on standard output. @default nothing is printed there */
  readonly stdout?: RegExp;
  /** All lines on standard error, without the hint to the help. @default not checked */
  readonly stderr?: RegExp;
}

/** Defines one test for each command line. */
export function testCommandLines(lines: readonly CommandLine[]): void {
  for (const { args, code, stdout, stderr } of lines) {
    Deno.test(`the command line "${args.join(" ")}" exits with ${code}`, async () => {
      const ended = await cli(args);
      assertEquals(ended.code, code, ended.stderr.join("\n"));
      if (stdout !== undefined) assertMatch(ended.stdout[0] ?? "", stdout);
      if (stderr !== undefined) assertMatch(ended.stderr.join("\n").replace(/\n(Help: |\n).*/s, ""), stderr);
      // Results go to standard output, errors do not.
      if (stdout === undefined) assertEquals(ended.stdout, []);
    });
  }
}
