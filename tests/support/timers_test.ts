/** The code that a worker runs on uses the real timers, also while a test fakes the global ones. */
import { assert, assertEquals } from "@std/assert";
import { filesUnder, root } from "../../tasks/process.ts";

/** The folders of the code that a worker over a memory log runs. */
const FOLDERS = ["src/worker/", "src/support/", "src/broker/memory/"];

/** Their files that work without the test kit, or write only logs. */
const OTHERS = ["src/support/timers.ts", "src/support/stderr.ts"];

Deno.test("each file of the worker imports the timers that it uses", () => {
  const files = FOLDERS.flatMap((folder) => filesUnder(folder, ".ts")).filter((path) => !OTHERS.includes(path));
  const users = files.filter((path) => /\b(?:set|clear)Timeout\(/.test(Deno.readTextFileSync(new URL(path, root))));
  assert(users.length > 5, `Expected more files with timers than ${users}`);
  const wrong = users.filter((path) => {
    const source = Deno.readTextFileSync(new URL(path, root));
    const imported = /import \{([^}]*)\} from "[./a-z]*\/timers\.ts";/.exec(source)?.[1] ?? "";
    return ["setTimeout", "clearTimeout"].some((name) => source.includes(`${name}(`) && !imported.includes(name));
  });
  assertEquals(wrong, []);
});
