/**
 * Appends records to the topic "jobs" of a file, one after the other, and prints the outcome of the last one that was
 * written and of the first that was refused: `append.ts <path> [records]`.
 */
import { openBroker } from "./harness.ts";

const [path, records = "1"] = Deno.args;
await using broker = openBroker(path!);
let last: string | undefined;
for (let n = 0; n < Number(records); n++) {
  const [outcome] = await broker.append("jobs", [{ value: "x".repeat(1000) }], { durability: "durable" });
  if (!outcome!.ok) {
    if (last !== undefined) console.log(last);
    last = `${outcome!.written}: ${outcome!.error.message}`;
    break;
  }
  last = `appended at ${outcome!.position.offset}`;
}
console.log(last);
