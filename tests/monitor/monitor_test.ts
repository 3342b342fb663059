/** The event stream: all listeners are called in order, and one that fails does not affect the others. */
import { assertEquals } from "@std/assert";
import { Monitor } from "../../src/monitor/monitor.ts";

const quieted = { group: "shop" };

Deno.test("Monitor calls listeners synchronously, in the order in which they were added, and hasListener() returns whether there is one", () => {
  const monitor = new Monitor();
  const log: string[] = [];
  assertEquals(monitor.hasListener("worker.quieted"), false);
  const ends = ["a", "b"].map((name) => monitor.on("worker.quieted", ({ group }) => void log.push(`${name} ${group}`)));
  monitor.emit("worker.quieted", quieted);
  assertEquals([log.splice(0), monitor.hasListener("worker.quieted"), monitor.hasListener("job.log")], [
    ["a shop", "b shop"],
    true,
    false,
  ]);
  ends[0]!();
  ends[0]!();
  monitor.emit("worker.quieted", quieted);
  ends[1]!();
  monitor.emit("worker.quieted", quieted);
  assertEquals([log, monitor.hasListener("worker.quieted")], [["b shop"], false]);
});

Deno.test("a listener that throws affects neither the emitter nor the others, and is reported", () => {
  const monitor = new Monitor();
  const log: string[] = [];
  monitor.on("worker.quieted", () => {
    throw new TypeError("bad listener");
  });
  monitor.on("worker.quieted", () => void log.push("second"));
  monitor.on("error.occurred", ({ where, error }) => {
    log.push(`${where}: ${error.errorClass}: ${error.message}`);
    throw new Error("even this one");
  });
  monitor.emit("worker.quieted", quieted);
  assertEquals(log, ["listener of worker.quieted: TypeError: bad listener", "second"]);
});

Deno.test("a listener whose promise rejects is reported, and does not end the process", async () => {
  const monitor = new Monitor();
  const reported = Promise.withResolvers<string>();
  monitor.on("error.occurred", ({ where, error }) => reported.resolve(`${where}: ${error.message}`));
  monitor.on("worker.quieted", async () => {
    await Promise.resolve();
    throw new Error("later");
  });
  monitor.emit("worker.quieted", quieted);
  assertEquals(await reported.promise, "listener of worker.quieted: later");
});

Deno.test("a function that was added twice is removed one at a time", () => {
  const monitor = new Monitor();
  let calls = 0;
  const listener = () => void calls++;
  const first = monitor.on("worker.quieted", listener);
  monitor.on("worker.quieted", listener);
  monitor.emit("worker.quieted", quieted);
  first();
  monitor.emit("worker.quieted", quieted);
  assertEquals(calls, 3);
});

Deno.test("listeners that are added or removed during an event do not change who gets that event", () => {
  const monitor = new Monitor();
  const log: string[] = [];
  const end = monitor.on("worker.quieted", () => {
    log.push("first");
    end();
    monitor.on("worker.quieted", () => void log.push("new"));
  });
  monitor.on("worker.quieted", () => void log.push("second"));
  monitor.emit("worker.quieted", quieted);
  assertEquals(log.splice(0), ["first", "second"]);
  monitor.emit("worker.quieted", quieted);
  assertEquals(log, ["second", "new"]);
});
