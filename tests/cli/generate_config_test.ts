/** A `deno.json` that is there keeps all it has: comments, order, formatting, and its own tasks. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CommandError } from "../../src/cli/command.ts";
import { mergeConfig, newConfig } from "../../src/cli/generate/deno_config.ts";
import { libraryFolder, libraryImports } from "../../src/cli/generate/library.ts";
import { VERSION } from "../../src/cli/version.ts";

const ENTRIES = { tasks: { worker: "w", test: "t" }, imports: { "@activejob/kafka": "k" } };
const merge = (text: string) => mergeConfig("deno.json", text, ENTRIES);

/** What is there, and what becomes of it. */
const MERGED: readonly (readonly [what: string, before: string, after: string])[] = [
  ["an empty object", "{}", newConfig(ENTRIES).trimEnd()],
  ["an empty object over two lines", "{\n}\n", newConfig(ENTRIES)],
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

Deno.test("mergeConfig() keeps entries that have another value, and says so", () => {
  const { text, kept } = merge(
    '{\n  "tasks": {\n    "test": "mine"\n  },\n  "imports": { "@activejob/kafka": "k" }\n}\n',
  );
  assertEquals(kept, ['tasks "test"']);
  assertEquals(JSON.parse(text), { tasks: { test: "mine", worker: "w" }, imports: ENTRIES.imports });
});

Deno.test("mergeConfig() refuses what it cannot complete, and says why", () => {
  const refused = {
    "": "it is no JSON: ",
    '{ "a": }': "it is no JSON: ",
    "[]": "it must be a JSON object",
    '{ "tasks": [] }': 'its "tasks" must be an object',
    '{ "importMap": "./map.json" }': 'it has an "importMap" of its own',
  };
  for (const [text, reason] of Object.entries(refused)) {
    const { message } = assertThrows(() => merge(text), CommandError);
    assertStringIncludes(message, `Cannot add to "deno.json": ${reason}`);
  }
});

Deno.test("libraryImports() leads to the copy that runs: a version of JSR, or the doors of a checkout", async () => {
  const path = `@activejob/kafka/${VERSION}/src/cli/generate/library.ts`;
  assertEquals(libraryImports(`https://jsr.io/${path}`), { "@activejob/kafka": `jsr:@activejob/kafka@^${VERSION}` });
  assertEquals(
    libraryImports("https://example.com/x/src/cli/generate/library.ts")["@activejob/kafka/cli"],
    "https://example.com/x/src/cli/mod.ts",
  );
  const root = new URL("../../", import.meta.url);
  const { name, exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const doors = Object.entries<string>(exports).map(([door, file]) => [name + door.slice(1), new URL(file, root).href]);
  assertEquals(libraryImports(), Object.fromEntries(doors));
});

Deno.test("libraryFolder() is the checkout, and nothing where the library comes from the web", () => {
  assertEquals(libraryFolder("file:///opt/a%20b/src/cli/generate/library.ts"), "/opt/a b");
  assertEquals(libraryFolder("https://jsr.io/@activejob/kafka/0.1.0/src/cli/generate/library.ts"), null);
});
