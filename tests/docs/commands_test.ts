/** The tasks that pages and workflows name exist, and workflows use nothing that can change unseen. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { filesUnder, root } from "../../tasks/process.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(path, root));
const WORKFLOWS = [".github/workflows/ci.yml", ".github/workflows/publish.yml"];
const PAGES = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md", ".github/PULL_REQUEST_TEMPLATE.md"],
  ...["CHANGELOG.md", ".ci/run", ...WORKFLOWS, ...filesUnder("docs/", ".md")],
];

/** The tasks of a generated project that this repository does not have. */
const OF_PROJECTS = ["dev", "generate", "topics"];

Deno.test("every task that a page, a script or a workflow names is in deno.json", () => {
  const tasks = new Set([...Object.keys(JSON.parse(read("deno.json")).tasks), ...OF_PROJECTS]);
  const unknown = PAGES.flatMap((page) =>
    Array.from(read(page).matchAll(/deno task (?:-q )?([a-z][\w:]*)/g), ([, task]) => task!)
      .filter((task) => !tasks.has(task)).map((task) => `${page}: ${task}`)
  );
  assertEquals(unknown, []);
});

Deno.test("workflows pin each action to a commit, name its version, and give tokens only the permission to read", () => {
  for (const path of WORKFLOWS) {
    const workflow = read(path);
    const uses = workflow.match(/^.*\buses:.*$/gm) ?? [];
    assert(uses.length >= 2, path);
    for (const line of uses) assertMatch(line, /uses: [\w.-]+\/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    assertMatch(workflow, /^permissions:\n {2}contents: read\njobs:|^permissions:\n {2}contents: read\nconcurrency:/m);
  }
});
