/** The choice among benches. */
import { assertEquals } from "@std/assert";
import { type Bench, selectBenches } from "../../bench/bench.ts";

const run = () => Promise.resolve([]);
const BENCHES: readonly Bench[] = [
  { name: "consume", group: "kafka", run },
  { name: "payloads", group: "kafka", isLongOnly: true, run },
  { name: "idle", group: "sqlite", run },
];

const select = (isShort: boolean, ...names: string[]) =>
  selectBenches(BENCHES, { isShort, names }).map(({ name }) => name);

Deno.test("without names all benches run, in the short form all that have a bar", () => {
  assertEquals(select(false), ["consume", "payloads", "idle"]);
  assertEquals(select(true), ["consume", "idle"]);
});

Deno.test("names of benches and of groups choose, each bench once", () => {
  assertEquals(select(false, "idle", "consume"), ["consume", "idle"]);
  assertEquals(select(false, "kafka", "consume"), ["consume", "payloads"]);
  assertEquals(select(true, "kafka"), ["consume"]);
});

Deno.test("a bench without a bar runs in the short form if it is named", () => {
  assertEquals(select(true, "payloads"), ["payloads"]);
});
