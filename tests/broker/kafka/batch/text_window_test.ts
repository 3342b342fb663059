/** Parts of the same bytes as strings: each is the UTF-8 of its bytes alone, whatever is beside it. */
import { assertEquals } from "@std/assert";
import { Buffer, isUtf8 } from "node:buffer";
import { TextWindow } from "../../../../src/broker/kafka/batch/text_window.ts";
import { forSeeds } from "../../../support/random.ts";

Deno.test("TextWindow finds a byte that is not ASCII at every place of a part", () => {
  for (const length of [1, 15, 16, 17, 50]) {
    for (let place = 0; place < length; place++) {
      const bytes = Buffer.alloc(length + 6, "x");
      bytes[3 + place] = 0xff;
      assertEquals(new TextWindow(bytes).read(3, 3 + length), new Uint8Array(bytes.subarray(3, 3 + length)));
    }
  }
});

Deno.test("TextWindow reads each part as the UTF-8 of its bytes", () => {
  const pieces = ["", "a", "key-123", "x".repeat(1000), "y".repeat(2048), "z".repeat(5000), "\ufeffé", "日本 \ufffd"];
  forSeeds(200, (random) => {
    const parts = Array.from({ length: 30 }, () => random.pick([...pieces, "binary"]))
      .map((piece) => piece === "binary" ? Buffer.of(0xff, 65) : Buffer.from(piece));
    // As in a batch, bytes that are not ASCII are between the parts.
    const between = Buffer.of(0x80, 0xd6, 1);
    const bytes = Buffer.concat(parts.flatMap((part) => [between, part]));
    const texts = new TextWindow(bytes);
    let at = 0;
    for (const part of parts) {
      at += between.length;
      const expected = isUtf8(part) ? part.toString() : new Uint8Array(part);
      assertEquals(texts.read(at, at + part.length), expected);
      at += part.length;
    }
  });
});
