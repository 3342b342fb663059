/**
 * Loaded before a program (`--preload`): shifts the wall clock of its process as a correction of the machine's clock would.
 * USR1 sets it back by an hour, USR2 forward by two. The monotonic clock goes on.
 */
const HOUR_MS = 3_600_000;
const RealDate = Date;
let shiftMs = 0;

const now = () => RealDate.now() + shiftMs;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => name === "now" ? now : Reflect.get(target, name),
});

for (const [signal, ms] of [["SIGUSR1", -HOUR_MS], ["SIGUSR2", 2 * HOUR_MS]] as const) {
  Deno.addSignalListener(signal, () => {
    shiftMs += ms;
    console.log(`${signal}: the clock is ${shiftMs} ms off`);
  });
}
