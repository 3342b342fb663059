/** Every link of a page has a target, and every page can be reached from the first one. */
import { assert, assertEquals } from "@std/assert";
import { filesUnder, root } from "../../tasks/process.ts";
import { anchorsOf, linksOf } from "./markdown.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(path, root));
const PAGES = ["README.md", "CONTRIBUTING.md", ...filesUnder("docs/", ".md")];

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

Deno.test("docs/README.md links to every page beside it", () => {
  const linked = new Set(linksOf(read("docs/README.md")));
  const missing = PAGES.filter((page) => page.startsWith("docs/")).map((page) => page.slice("docs/".length))
    .filter((page) => page !== "README.md" && !linked.has(page));
  assertEquals(missing, []);
});
