/** An existing `deno.json` keeps its comments, order, formatting and tasks. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CommandError } from "../../../src/cli/command.ts";
import { formatConfig, mergeConfig } from "../../../src/cli/generate/deno_config.ts";

const ENTRIES = { tasks: { worker: "w", test: "t" }, imports: { "@activejob/kafka": "k" } };
const merge = (text: string) => mergeConfig("deno.json", text, ENTRIES);

/** Files before and after the merge. */
const MERGED: readonly (readonly [what: string, before: string, after: string])[] = [
  ["an empty object", "{}", formatConfig(ENTRIES).trimEnd()],
  ["an empty object over two lines", "{\n}\n", formatConfig(ENTRIES)],
  [
    "comments and trailing commas",
    `// Ours
{
    "name": "@me/shop", // "tasks": {}
    "imports": {
        "hono": "npm:hono@4", // the server, of 2026
        /* "x": "y" */
    },
    "fmt": { "lineWidth": 100 } // wide
    /* end */
}
`,
    `// Ours
{
    "name": "@me/shop", // "tasks": {}
    "imports": {
        "hono": "npm:hono@4", // the server, of 2026
        /* "x": "y" */
        "@activejob/kafka": "k"
    },
    "fmt": { "lineWidth": 100 }, // wide
    /* end */
    "tasks": {
        "worker": "w",
        "test": "t"
    }
}
`,
  ],
  [
    "objects on one line, and strings that look like code",
    '{ "a": "}, //", "tasks": { "dev": "echo \\"{\\"" }, "b": { "imports": {} }, "imports": {} }',
    `{ "a": "}, //", "tasks": { "dev": "echo \\"{\\"",
    "worker": "w",
    "test": "t"
  }, "b": { "imports": {} }, "imports": {
    "@activejob/kafka": "k"
  } }`,
  ],
];

for (const [what, before, after] of MERGED) {
  Deno.test(`mergeConfig() keeps ${what}`, () => {
    assertEquals(merge(before), { text: after, kept: [] });
    assertEquals(merge(after), { text: after, kept: [] });
  });
}

Deno.test("mergeConfig() keeps entries with another value, and returns their names", () => {
  const { text, kept } = merge(
    '{\n  "tasks": {\n    "test": "mine"\n  },\n  "imports": { "@activejob/kafka": "k" }\n}\n',
  );
  assertEquals(kept, ['tasks "test"']);
  assertEquals(JSON.parse(text), { tasks: { test: "mine", worker: "w" }, imports: ENTRIES.imports });
});

Deno.test("mergeConfig() throws an error with the reason if it cannot add entries", () => {
  const refused = {
    "": "it is not JSON: ",
    '{ "a": }': "it is not JSON: ",
    "[]": "it must be a JSON object",
    '{ "tasks": [] }': 'its "tasks" must be an object',
    '{ "importMap": "./map.json" }': 'Deno ignores "imports" beside its "importMap"',
  };
  for (const [text, reason] of Object.entries(refused)) {
    const { message } = assertThrows(() => merge(text), CommandError);
    assertStringIncludes(message, `Cannot add to "deno.json": ${reason}`);
  }
});
