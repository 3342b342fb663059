/** Both parsers, `@std/cli` and `node:util`, split a command line alike. */
import { parseArgs } from "@std/cli/parse-args";
import { assertEquals } from "@std/assert";
import { parseArgs as nodeParseArgs } from "node:util";
import { createNodeSplitter, createStdSplitter, type SplitArguments } from "../../src/cli/split_arguments.ts";

const GRAMMAR = { texts: ["app", "topics"], switches: ["once"] };

const lines: [
  args: string[],
  parts: Partial<{ words: string[]; values: Record<string, string>; unknown: string[] }>,
][] = [
  [[], {}],
  [["--app", "app.ts", "a/0@1"], { values: { app: "app.ts" }, words: ["a/0@1"] }],
  [["--app=app.ts", "--once"], { values: { app: "app.ts", once: "" } }],
  [["--app", "a.ts", "--app", "b.ts"], { values: { app: "b.ts" } }],
  [["--app"], { values: { app: "" } }],
  [["--app="], { values: { app: "" } }],
  [["--topics", "a,b", "007", "1"], { values: { topics: "a,b" }, words: ["007", "1"] }],
  [["--once", "word"], { values: { once: "" }, words: ["word"] }],
  [["--onec", "--app", "x"], { unknown: ["--onec"], values: { app: "x" } }],
  [["--nope=1"], { unknown: ["--nope"] }],
  [["--no-once"], { unknown: ["--no-once"] }],
  [["-x"], { unknown: ["-x"] }],
  [["--", "--app", "x"], { words: ["--app", "x"] }],
  [["Job", "[1]"], { words: ["Job", "[1]"] }],
  [["", " "], { words: ["", " "] }],
];

for (
  const [name, split] of [["createStdSplitter", createStdSplitter(parseArgs)], [
    "createNodeSplitter",
    createNodeSplitter(nodeParseArgs),
  ]] as const
) {
  Deno.test(`${name}() separates flags, words and unknown flags`, () => {
    for (const [args, { words = [], values = {}, unknown = [] }] of lines) {
      const parts: SplitArguments = split(args, GRAMMAR);
      const seen = { words: parts.words, values: Object.fromEntries(parts.values), unknown: parts.unknown };
      assertEquals(seen, { words, values, unknown }, args.join(" "));
    }
  });
}
