/** Messages of one cause become the same. */
import { assert, assertEquals } from "@std/assert";
import { normalizeMessage } from "../../../src/web/dashboard/error_message.ts";

Deno.test("normalizeMessage() replaces numbers, ids and quoted strings, and keeps words", () => {
  for (
    const [message, normalized] of [
      ["User 17 has no address", "User # has no address"],
      [`Key "a1" is missing in 'b' and \`c\``, `Key "…" is missing in '…' and \`…\``],
      ["It doesn't fit, and can't grow", "It doesn't fit, and can't grow"],
      ["Order 0b5c7a0e-3f0e-4c43-9a39-0f7f2f2d9f10 failed", "Order <id> failed"],
      ["Object 5f2b9c0d1e is locked", "Object <id> is locked"],
      ["A faced decade", "A faced decade"],
      ["No template for emil+a@mail.example.com.", "No template for <address>."],
      ["@ada is not a user of us@", "@ada is not a user of us@"],
      ["connect ECONNREFUSED 10.0.3.7:5432", "connect ECONNREFUSED #"],
      ["after 1,250.5 ms\n   in retry 2", "after # ms in retry #"],
      ["\u001b[31mred\u001b[0m \u202eevil\u0000", "red evil"],
      ["", ""],
    ]
  ) assertEquals(normalizeMessage(message!), normalized!);
});

Deno.test("normalizeMessage() looks at the start of a huge message only", () => {
  for (const part of ["'", "a1", "\u001b[", "1.", '"x']) {
    assert(normalizeMessage(part.repeat(500_000)).length <= 300);
  }
});
