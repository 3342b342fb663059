/** The version is a constant in the source, since reading `deno.json` needs a permission. */
import { assertEquals } from "@std/assert";
import { VERSION } from "../../src/support/version.ts";

Deno.test("VERSION is the version in deno.json", async () => {
  const config = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  assertEquals(VERSION, config.version);
});
