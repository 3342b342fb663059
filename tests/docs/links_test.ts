/** Every link of a page leads to something, every page is in the index, and every file that a page names exists. */
import { assert, assertEquals } from "@std/assert";
import { filesUnder, root } from "../../tasks/process.ts";
import { anchorsOf, linksOf, prose, section } from "./markdown.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(path, root));
const PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md", ...filesUnder("docs/", ".md")];

/** The pages for engineers who change the library: the files that they name are files of this repository. */
const INNER_PAGES = ["CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md", "docs/releasing.md"];

/** Files that these pages name, and that belong to a project of a user. */
const OF_USERS = new Set(["jobs/mod.ts"]);

Deno.test("every link within the pages leads to an existing page and heading", () => {
  for (const page of PAGES) {
    for (const link of linksOf(read(page)).filter((link) => !/^https?:/.test(link))) {
      const [file, anchor] = link.split("#");
      const target = file === "" ? page : new URL(file!, new URL(page, root)).href.slice(root.href.length);
      const text = read(target);
      if (anchor !== undefined) assert(anchorsOf(text).includes(anchor), `${page} links to ${link}`);
    }
  }
});

function exists(path: string): boolean {
  try {
    Deno.statSync(new URL(path, root));
    return true;
  } catch {
    return false;
  }
}

Deno.test("every file and folder that the pages for contributors name exists, below the root or src/", () => {
  const missing = INNER_PAGES.flatMap((page) =>
    Array.from(prose(read(page)).matchAll(/`([\w.-]+(?:\/[\w.-]*)*)`/g), ([, name]) => name!)
      .filter((name) => /\/|\.(?:ts|md|json|svg)$/.test(name) && !OF_USERS.has(name))
      .filter((name) => !exists(name) && !exists(`src/${name}`))
      .map((name) => `${page}: ${name}`)
  );
  assertEquals(missing, []);
});

Deno.test("docs/architecture.md names every module, and every file of worker/", () => {
  const page = read("docs/architecture.md");
  const [tree] = /^```\n[\s\S]*?^```$/m.exec(section(page, "Modules"))!;
  for (const { name, isDirectory } of Deno.readDirSync(new URL("src/", root))) {
    if (isDirectory) assert(new RegExp(`\\b${name}/`).test(tree!), `${name}/ is not in the tree of modules`);
  }
  const named = new Set(Array.from(prose(page).matchAll(/`(?:\w+\/)*(\w+\.ts)`/g), ([, name]) => name));
  const missing = filesUnder("src/worker/", ".ts").filter((path) => !named.has(path.split("/").at(-1)));
  assertEquals(missing, []);
});

Deno.test("docs/README.md links to every page beside it", () => {
  const linked = new Set(linksOf(read("docs/README.md")));
  const missing = PAGES.filter((page) => page.startsWith("docs/")).map((page) => page.slice("docs/".length))
    .filter((page) => page !== "README.md" && !linked.has(page));
  assertEquals(missing, []);
});
