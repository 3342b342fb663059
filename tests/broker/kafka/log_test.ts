/** What kafkajs says becomes events: bounded, without stacks, without secrets. */
import { assertEquals } from "@std/assert";
import type { EventMap } from "../../../mod.ts";
import { kafkaLog } from "../../../src/broker/kafka/log.ts";
import { Monitor } from "../../../src/monitor/monitor.ts";

function listen(secrets: readonly string[] = []) {
  const monitor = new Monitor();
  const events: EventMap["broker.log"][] = [];
  monitor.on("broker.log", (event) => void events.push(event));
  const log = kafkaLog(monitor, secrets);
  const say = (message: string, more: Record<string, unknown> = {}) =>
    log({ level: 1, label: "ERROR", namespace: "Connection", log: { message, timestamp: "", logger: "", ...more } });
  return { events, say };
}

Deno.test("kafkaLog() says the same words once, however often kafkajs does", () => {
  const { events, say } = listen();
  for (let n = 0; n < 50; n++) say("Connection error: refused", { broker: "a:9092", stack: "Error: …" });
  say("Another thing");
  assertEquals(events, [
    { level: "warn", message: "Connection: Connection error: refused", details: { broker: "a:9092" } },
    { level: "warn", message: "Connection: Another thing", details: {} },
  ]);
});

Deno.test("kafkaLog() takes an error answer for a detail: whoever asked hears of it", () => {
  const { events, say } = listen();
  say("Response Metadata(key: 3, version: 6)", { error: "no such topic" });
  assertEquals(events.map(({ level }) => level), ["debug"]);
});

Deno.test("kafkaLog() shows no secret, in words or details", () => {
  const { events, say } = listen(["s3cret"]);
  say("Cannot log in with s3cret", { sasl: { password: "s3cret" } });
  assertEquals(JSON.stringify(events).includes("s3cret"), false);
  assertEquals(events[0]!.details, { sasl: { password: "***" } });
});
