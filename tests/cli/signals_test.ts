/** The signals of each operating system. Their effect on a worker is tested in `tests/behaviours/stopping_test.ts`. */
import { assertEquals } from "@std/assert";
import { selectSignals, WorkerSignals } from "../../src/cli/signals.ts";

Deno.test("selectSignals() has INT, TERM, QUIT and TSTP on Unix", () => {
  assertEquals(selectSignals(false), {
    stop: [["SIGINT", 130], ["SIGTERM", 143], ["SIGQUIT", 131]],
    quiet: "SIGTSTP",
  });
});

Deno.test("selectSignals() has only signals on Windows that Deno can listen to there", () => {
  assertEquals(selectSignals(true), { stop: [["SIGINT", 130], ["SIGBREAK", 143]], quiet: null });
});

Deno.test("WorkerSignals listens to the selected signals until it is disposed of", () => {
  const calls: string[] = [];
  const record = (change: string) => (signal: Deno.Signal) => void calls.push(`${change} ${signal}`);
  const { addSignalListener, removeSignalListener } = Deno;
  Object.assign(Deno, { addSignalListener: record("add"), removeSignalListener: record("remove") });
  try {
    const handlers = { stop() {}, quiet() {}, force() {} };
    new WorkerSignals(handlers, selectSignals(true))[Symbol.dispose]();
  } finally {
    Object.assign(Deno, { addSignalListener, removeSignalListener });
  }
  assertEquals(calls, ["add SIGINT", "add SIGBREAK", "remove SIGINT", "remove SIGBREAK"]);
});

// The process ends as the command line does, by `exit`: one without more to do removes its listeners before its end, and a
// signal in between is lost or ends it.
Deno.test("WorkerSignals listens until the end of a process that a signal stops", async () => {
  const source = `
    import { WorkerSignals } from "${import.meta.resolve("../../src/cli/signals.ts")}";
    const stopped = Promise.withResolvers();
    {
      using signals = new WorkerSignals({ stop: () => stopped.resolve(), quiet() {}, force() {} });
      Deno.kill(Deno.pid, "SIGTERM");
      await stopped.promise;
    }
    for (let i = 0; i < 3; i++) Deno.kill(Deno.pid, "SIGTERM");
    console.log("alive");
    Deno.exit(0);`;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: ["eval", source] }).output();
  assertEquals([code, new TextDecoder().decode(stdout)], [0, "alive\n"], new TextDecoder().decode(stderr));
});

Deno.test("WorkerSignals stops once, at the first signal of any kind, and only the same kind again forces the end", () => {
  const calls: string[] = [];
  const listeners = new Map<Deno.Signal, () => void>();
  const { addSignalListener, removeSignalListener } = Deno;
  const { now } = performance;
  let nowMs = 5000;
  Object.assign(Deno, {
    addSignalListener: (signal: Deno.Signal, listener: () => void) => void listeners.set(signal, listener),
    removeSignalListener: () => {},
  });
  performance.now = () => nowMs;
  try {
    using signals = new WorkerSignals({
      stop: (signal) => void calls.push(`stop at ${signal}`),
      quiet: () => void calls.push("quiet"),
      force: (signal, code) => void calls.push(`force at ${signal} with ${code}`),
    }, selectSignals(false));
    const send = (signal: Deno.Signal) => listeners.get(signal)!();
    send("SIGTSTP");
    send("SIGINT");
    nowMs += 900;
    send("SIGINT");
    send("SIGTERM");
    assertEquals([calls, signals.stop.aborted, signals.sinceStopMs], [["quiet", "stop at SIGINT"], true, 900]);
    nowMs += 100;
    send("SIGINT");
    send("SIGTERM");
    assertEquals(calls.slice(2), ["force at SIGINT with 130"]);
  } finally {
    Object.assign(Deno, { addSignalListener, removeSignalListener });
    performance.now = now;
  }
});
