/** A release is published only under its own version. */
import { assertEquals } from "@std/assert";
import { describeWrongTag } from "../../tasks/check_tag.ts";

Deno.test("describeWrongTag() accepts the version with a v before it, and nothing else", () => {
  assertEquals(describeWrongTag("v0.1.0", "0.1.0"), null);
  for (const tag of ["0.1.0", "v0.1.1", "v0.1.0-rc.1", ""]) {
    assertEquals(
      describeWrongTag(tag, "0.1.0"),
      `Cannot publish: the tag is "${tag}", but the version in deno.json asks for "v0.1.0"`,
    );
  }
});
