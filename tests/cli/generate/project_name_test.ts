/** The name of a project, from the name of its folder. */
import { assertEquals } from "@std/assert";
import { toProjectName } from "../../../src/cli/generate/project_name.ts";

Deno.test("toProjectName() keeps plain letters, and returns null where a letter has no plain form", () => {
  const names: readonly (readonly [folder: string, name: string | null])[] = [
    ["my shop", "my-shop"],
    ["Ünï", "Uni"],
    ["a.b_c-1", "a.b_c-1"],
    [".hidden", "hidden"],
    ["Größe", null],
    ["日本 shop", null],
    ["…", null],
    ["x".repeat(250), "x".repeat(100)],
  ];
  assertEquals(names.map(([folder]) => toProjectName(folder)), names.map(([, name]) => name));
});
