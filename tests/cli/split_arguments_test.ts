/** The command line is split alike by `@std/cli` and, where that cannot be had, by Node. */
import { parseArgs } from "@std/cli/parse-args";
import { assertEquals } from "@std/assert";
import { parseArgs as nodeParseArgs } from "node:util";
import { type Parts, withNode, withStd } from "../../src/cli/split_arguments.ts";

const GRAMMAR = { texts: ["app", "topics"], switches: ["once"] };

const lines: [args: string[], parts: Partial<{ words: string[]; given: Record<string, string>; unknown: string[] }>][] =
  [
    [[], {}],
    [["--app", "app.ts", "a/0@1"], { given: { app: "app.ts" }, words: ["a/0@1"] }],
    [["--app=app.ts", "--once"], { given: { app: "app.ts", once: "" } }],
    [["--app", "a.ts", "--app", "b.ts"], { given: { app: "b.ts" } }],
    [["--app"], { given: { app: "" } }],
    [["--app="], { given: { app: "" } }],
    [["--topics", "a,b", "007", "1"], { given: { topics: "a,b" }, words: ["007", "1"] }],
    [["--once", "word"], { given: { once: "" }, words: ["word"] }],
    [["--onec", "--app", "x"], { unknown: ["--onec"], given: { app: "x" } }],
    [["--nope=1"], { unknown: ["--nope"] }],
    [["--no-once"], { unknown: ["--no-once"] }],
    [["-x"], { unknown: ["-x"] }],
    [["--", "--app", "x"], { words: ["--app", "x"] }],
    [["Job", "[1]"], { words: ["Job", "[1]"] }],
    [["", " "], { words: ["", " "] }],
  ];

for (const [name, split] of [["withStd", withStd(parseArgs)], ["withNode", withNode(nodeParseArgs)]] as const) {
  Deno.test(`${name}() splits flags, words and what is neither`, () => {
    for (const [args, { words = [], given = {}, unknown = [] }] of lines) {
      const parts: Parts = split(args, GRAMMAR);
      const seen = { words: parts.words, given: Object.fromEntries(parts.given), unknown: parts.unknown };
      assertEquals(seen, { words, given, unknown }, args.join(" "));
    }
  });
}
