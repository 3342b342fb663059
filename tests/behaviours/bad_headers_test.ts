/** Bad input in headers: whatever their names and values, jobs are performed and bad records dead-lettered. */
import { assertEquals } from "@std/assert";
import type { Headers } from "../../src/broker/broker.ts";
import { echo, EchoJob, echoProcess } from "../support/behaviours/bad_records.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { asString, type World } from "../support/behaviours/world.ts";

const bytes = (value: string) => new TextEncoder().encode(value);
const shown = (headers: Headers) => headers.map(([name, value]) => `${name}=${asString(value)}`).sort();

/** Performs one job and dead-letters one poison, both with these headers. @returns the dead letter's headers */
async function headersOfDeadLetter(world: World, headers: Headers): Promise<Headers> {
  const process = await echoProcess(world);
  await world.append([{ value: echo(["performed"]), headers }]);
  await world.append([{ value: "poison", headers }]);
  await process.start();
  await world.untilCommitted(2);
  await process.stop();
  assertEquals(EchoJob.got, [["performed"]]);
  const dead = await world.records("dead");
  assertEquals([dead.length, asString(dead[0]!.value)], [1, "poison"]);
  return dead[0]!.headers;
}

behaviour("bad input 10: a header value of null does no harm, and is null in the dead letter, too", async (world) => {
  const dead = await headersOfDeadLetter(world, [["null", null], ["empty", new Uint8Array()], ["text", bytes("x")]]);
  assertEquals(shown(dead.filter(([name]) => !name.startsWith("dead-letter-"))), ["empty=", "null=null", "text=x"]);
});

behaviour(
  "bad input 11: headers of the same name keep their order, and none can forge a header of the dead letter",
  async (world) => {
    const dead = await headersOfDeadLetter(world, [
      ["twice", bytes("1")],
      ["dead-letter-topic", bytes("forged")],
      ["twice", bytes("2")],
      ["dead-letter-topic", bytes("forged again")],
      ["dead-letter-unknown", bytes("forged")],
    ]);
    assertEquals(dead.filter(([name]) => name === "twice").map(([, value]) => asString(value)), ["1", "2"]);
    assertEquals(dead.filter(([name]) => name === "dead-letter-topic").map(([, value]) => asString(value)), [
      world.topic(),
    ]);
    assertEquals(dead.some(([name]) => name === "dead-letter-unknown"), false);
  },
);

behaviour(
  "bad input 12: headers named constructor, toString, valueOf and __proto__ do no harm, and are kept in the dead letter",
  async (world) => {
    const names = ["constructor", "toString", "valueOf", "hasOwnProperty"];
    const dead = await headersOfDeadLetter(world, [
      ...names.map((name) => [name, bytes(name)] as const),
      ["__proto__", bytes("polluted")],
    ]);
    const kept = dead.filter(([name]) => !name.startsWith("dead-letter-"));
    assertEquals(shown(kept), [...names.map((name) => `${name}=${name}`), "__proto__=polluted"].sort());
    assertEquals(Object.keys(Object.prototype), []);
  },
);

behaviour(
  "bad input 13: headers that are not UTF-8, and 10,000 headers, are kept in the dead letter; 1 MB of headers is left out",
  async (world) => {
    const process = await echoProcess(world);
    const latin = new Uint8Array([0xff, 0xfe, 0x00]);
    const many: Headers = Array.from({ length: 10_000 }, (_, n) => [`header-${n}`, bytes(`${n}`)]);
    const large: Headers = [["large", new Uint8Array(1_048_400).fill(0xff)]];
    for (const headers of [[["latin", latin]] as Headers, many, large]) {
      await world.append([{ value: echo([headers.length]), headers }]);
      await world.append([{ key: "key", value: "poison", headers }]);
    }
    await process.start();
    await world.untilCommitted(6);
    await process.stop();
    assertEquals(EchoJob.got, [[1], [10_000], [1]]);
    const dead = await world.records("dead");
    assertEquals(dead.map(({ key, value }) => [asString(key), asString(value)]), Array(3).fill(["key", "poison"]));
    const theirs = dead.map(({ headers }) => headers.filter(([name]) => !name.startsWith("dead-letter-")));
    assertEquals(theirs[0]![0]![1], latin);
    assertEquals(theirs[1]!.length, 10_000);
    assertEquals(theirs[2], []);
    for (const { headers } of dead) assertEquals(headers.filter(([name]) => name.startsWith("dead-letter-")).length, 8);
  },
);

behaviour("bad input 13: 60,000 headers with the value null are kept in the dead letter", async (world) => {
  const headers: Headers = Array.from({ length: 60_000 }, () => ["a", null]);
  const dead = await headersOfDeadLetter(world, headers);
  assertEquals(dead.filter(([name, value]) => name === "a" && value === null).length, 60_000);
});
