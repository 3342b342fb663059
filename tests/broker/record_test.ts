import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";
import { stored } from "../../src/broker/record.ts";

Deno.test("stored() copies the bytes of a Buffer too, whose slice() would be a window", () => {
  const bytes = Buffer.from("job");
  const record = stored({ key: bytes, value: bytes, headers: [["header", bytes]] }, 0);
  bytes.fill("x");
  for (const copy of [record.key, record.value, record.headers[0]![1]]) {
    assertEquals(new TextDecoder().decode(copy!), "job");
  }
});
