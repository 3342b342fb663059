/** Appends one record to the topic "jobs" of a file, and says what came of it: `append_once.ts <path>`. */
import { openBroker } from "./harness.ts";

await using broker = openBroker(Deno.args[0]!);
const [outcome] = await broker.append("jobs", [{ value: "x" }], { durability: "durable" });
console.log(outcome!.ok ? `appended at ${outcome!.position.offset}` : `${outcome!.written}: ${outcome!.error.message}`);
