/** The signals of each operating system. Their effect on a worker is tested in `tests/behaviours/stopping_test.ts`. */
import { assertEquals } from "@std/assert";
import { selectSignals, WorkerSignals } from "../../src/cli/signals.ts";

Deno.test("selectSignals() has INT, TERM, QUIT and TSTP on Unix", () => {
  for (const os of ["linux", "darwin", "freebsd"] as const) {
    assertEquals(selectSignals(os), {
      stop: [["SIGINT", 130], ["SIGTERM", 143], ["SIGQUIT", 131]],
      quiet: "SIGTSTP",
    });
  }
});

Deno.test("selectSignals() has only signals on Windows that Deno can listen to there", () => {
  assertEquals(selectSignals("windows"), { stop: [["SIGINT", 130], ["SIGBREAK", 143]], quiet: null });
});

Deno.test("WorkerSignals listens to the selected signals until it is disposed of", () => {
  const calls: string[] = [];
  const record = (change: string) => (signal: Deno.Signal) => void calls.push(`${change} ${signal}`);
  const { addSignalListener, removeSignalListener } = Deno;
  Object.assign(Deno, { addSignalListener: record("add"), removeSignalListener: record("remove") });
  try {
    const handlers = { stop() {}, quiet() {}, force() {} };
    new WorkerSignals(handlers, selectSignals("windows"))[Symbol.dispose]();
  } finally {
    Object.assign(Deno, { addSignalListener, removeSignalListener });
  }
  assertEquals(calls, ["add SIGINT", "add SIGBREAK", "remove SIGINT", "remove SIGBREAK"]);
});
