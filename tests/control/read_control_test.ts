/** Reading the control topic: a flood of records neither blocks the process, nor fills its memory. */
import { assert, assertEquals } from "@std/assert";
import { readControl } from "../../src/control/read_control.ts";
import { cancelRecord, pauseRecord } from "../../src/control/record.ts";
import { ControlState } from "../../src/control/state.ts";
import { FaultInjectionLog } from "../support/fault_injection_log.ts";

Deno.test("among fifty thousand forged cancellations the pause is read, in pages between which timers run", async () => {
  const log = new FaultInjectionLog();
  log.createTopic("shop_control", 1);
  const nowMs = Date.now();
  const order = { by: "mallory", why: null, atMs: nowMs };
  log.append("shop_control", [pauseRecord("mail", null, { ...order, by: "ada" })]);
  const forged = Array.from(
    { length: 50_000 },
    (_, n) => cancelRecord(`${n}`, { ...order, expiresAtMs: nowMs + 1000 }),
  );
  log.append("shop_control", forged);
  const state = new ControlState((topic) => topic === "mail", { cancellations: 1000 });
  let timers = 0;
  const timer = setInterval(() => void timers++, 1);
  const { admin } = log.open();
  const position = await readControl(admin, "shop_control", state, { from: 0, nowMs: () => nowMs });
  clearInterval(timer);
  assertEquals([position, state.pauseOf("mail", 0)?.by], [50_001, "ada"]);
  assert(state.cancelled.size <= 1000 && state.cancelled.has("49999"), `${state.cancelled.size}`);
  assert(timers > 3, `${timers} timers ran`);
});
