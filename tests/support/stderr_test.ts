/** The queue before standard error: bounded, in order, and without blocking. */
import { assert, assertEquals } from "@std/assert";
import { type Output, OutputQueue } from "../../src/support/stderr.ts";
import { Child } from "./child.ts";

/** An output that takes bytes only when the test lets it. */
class HeldOutput implements Output {
  readonly texts: string[] = [];
  #gate = Promise.withResolvers<void>();

  isTerminal() {
    return false;
  }

  async write(bytes: Uint8Array) {
    await this.#gate.promise;
    // It takes less than it is given, as pipes do.
    return this.writeSync(bytes.subarray(0, 50_000));
  }

  writeSync(bytes: Uint8Array) {
    this.texts.push(new TextDecoder().decode(bytes));
    return bytes.length;
  }

  open() {
    this.#gate.resolve();
  }
}

const MIB = 2 ** 20;

Deno.test("OutputQueue writes what it is given in order, and once for each turn", async () => {
  const output = new HeldOutput();
  const queue = new OutputQueue(output);
  output.open();
  for (const text of ["a\n", "b\n", "ü\n"]) assertEquals(queue.write(text), true);
  await queue.flush(1000);
  assertEquals(output.texts, ["a\nb\nü\n"]);
  const long = Array.from({ length: 50_000 }, (_, n) => `${n}\n`).join("");
  queue.write(long);
  queue.write("last");
  await queue.flush(1000);
  assertEquals(output.texts.slice(1).join(""), `${long}last`);
});

Deno.test("OutputQueue refuses strings when it is full, until half of it is sent", async () => {
  const output = new HeldOutput();
  const queue = new OutputQueue(output);
  const written: boolean[] = [];
  for (let n = 0; n < 40; n++) written.push(queue.write("x".repeat(MIB / 4)));
  const accepted = written.filter(Boolean).length;
  assertEquals([written.lastIndexOf(true), accepted >= 16, accepted <= 18], [accepted - 1, true, true]);
  await queue.flush(1);
  // The first chunk has left the queue, but not half of it.
  assertEquals([queue.write("a"), output.texts], [false, []]);
  output.open();
  await queue.flush(30_000);
  assertEquals([output.texts.join("").length, queue.write("b")], [accepted * MIB / 4, true]);
  await queue.flush(30_000);
  assertEquals(output.texts.at(-1), "b");
});

Deno.test("OutputQueue takes the lines of a turn in which jobs block the event loop, and writes them in few calls", async () => {
  const output = new HeldOutput();
  const queue = new OutputQueue(output);
  const sizes: number[] = [];
  output.write = (bytes) => {
    sizes.push(bytes.length);
    return Promise.resolve(output.writeSync(bytes));
  };
  for (let n = 0; n < 60; n++) assertEquals(queue.write(`${n}`.padEnd(MIB / 16, "x")), true);
  await queue.flush(30_000);
  assertEquals(sizes, [MIB, MIB, MIB, MIB * 3 / 4]);
  assertEquals(output.texts.join("").match(/\d+/g), Array.from({ length: 60 }, (_, n) => `${n}`));
});

Deno.test("OutputQueue accepts a string that is larger than the queue if it is empty", async () => {
  const output = new HeldOutput();
  const queue = new OutputQueue(output);
  output.open();
  assertEquals(queue.write("x".repeat(5 * MIB)), true);
  await queue.flush(30_000);
  assertEquals(output.texts.join("").length, 5 * MIB);
});

Deno.test("flushNow() writes what waits, but not to an output that is not read", async () => {
  const output = new HeldOutput();
  const queue = new OutputQueue(output);
  queue.write("first");
  queue.flushNow();
  assertEquals(output.texts, ["first"]);
  const stuck = new OutputQueue(output);
  stuck.write("sent");
  await stuck.flush(300);
  stuck.write("waiting");
  stuck.flushNow();
  assertEquals(output.texts, ["first"]);
  output.open();
  await stuck.flush(1000);
  assertEquals(output.texts, ["first", "sent", "waiting"]);
});

Deno.test("OutputQueue goes on after an output that fails", async () => {
  let calls = 0;
  const fail = () => {
    calls++;
    throw new Deno.errors.BrokenPipe();
  };
  const queue = new OutputQueue({ isTerminal: () => false, write: fail, writeSync: fail });
  for (const text of ["a", "b"]) {
    assert(queue.write(text));
    await queue.flush(1000);
  }
  queue.write("c");
  queue.flushNow();
  assertEquals(calls, 3);
});

Deno.test("stderr is that of node:process where there is no Deno", async () => {
  const program = `
    const { stderr: output } = process;
    delete globalThis.Deno;
    const { stderr } = await import(${JSON.stringify(new URL("../../src/support/stderr.ts", import.meta.url).href)});
    stderr.write("one\\n");
    await stderr.flush(1000);
    stderr.write(stderr.isTerminal + "\\n");
    stderr.flushNow();
  `;
  const url = `data:application/typescript,${encodeURIComponent(program)}`;
  await using child = new Child([url], { options: ["-A", "--no-check"] });
  const { code, stderr } = await child.ended();
  assertEquals([code, stderr], [0, ["one", "false"]]);
});
