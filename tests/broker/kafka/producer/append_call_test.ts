import { assert, assertEquals } from "@std/assert";
import { AppendCall } from "../../../../src/broker/kafka/producer/append_call.ts";

Deno.test("AppendCall resolves once each record has an outcome, in their order", async () => {
  const call = new AppendCall([{ value: "a" }, { value: "b" }], 1000);
  call.settle(1, { ok: true, position: { topic: "t", partition: 0, offset: 9 } });
  assert(!call.isDone);
  call.refuse(new Error("no"));
  assert(call.isDone);
  const [first, second] = await call.done;
  assert(!first!.ok && first!.written === "no" && second!.ok);
  assertEquals(await new AppendCall([], 1000).done, []);
});
