/** Decisions on a skip, for tests that call a broker directly. */
import type { DecideSkip } from "../../src/broker/broker.ts";

/** Passes over the record at an offset once the group is at it. */
export function passOver(offset: number): DecideSkip {
  return (committed, end) => committed.offset === offset ? { offset: end, metadata: "" } : null;
}

/** Passes over a record and all before it. */
export const passAll: DecideSkip = (_, end) => ({ offset: end, metadata: "" });
