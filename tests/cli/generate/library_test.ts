/** The imports of a new project. */
import { assertEquals } from "@std/assert";
import { findLibraryFolder, getLibraryImports } from "../../../src/cli/generate/library.ts";
import { VERSION } from "../../../src/support/version.ts";

Deno.test("getLibraryImports() returns a version range of JSR, or the entry points of a checkout", async () => {
  const path = `@activejob/kafka/${VERSION}/src/cli/generate/library.ts`;
  assertEquals(getLibraryImports(`https://jsr.io/${path}`), { "@activejob/kafka": `jsr:@activejob/kafka@^${VERSION}` });
  assertEquals(
    getLibraryImports("https://example.com/x/src/cli/generate/library.ts")["@activejob/kafka/cli"],
    "https://example.com/x/src/cli/mod.ts",
  );
  const root = new URL("../../../", import.meta.url);
  const { name, exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const entryPoints = Object.entries<string>(exports).map((
    [path, file],
  ) => [name + path.slice(1), new URL(file, root).href]);
  assertEquals(getLibraryImports(), Object.fromEntries(entryPoints));
});

Deno.test("findLibraryFolder() returns the checkout, and null for a library from the web", () => {
  assertEquals(findLibraryFolder("file:///opt/a%20b/src/cli/generate/library.ts"), "/opt/a b");
  assertEquals(findLibraryFolder("https://jsr.io/@activejob/kafka/0.1.0/src/cli/generate/library.ts"), null);
});
