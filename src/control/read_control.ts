/** Reads the control topic: from its start, or from a position on. */
import type { BrokerAdmin } from "../broker/admin.ts";
import { CONTROL_PARTITION } from "../routing/control_topic.ts";
import { nextTurn } from "../support/timers.ts";
import type { ControlState } from "./state.ts";

/** The most bytes of a page. */
const PAGE_BYTES = 1024 * 1024;

/**
 * Takes the records of the control topic into a state, up to the end of the log.
 *
 * @returns the position to continue at; `null` if the log ends before `from`: the topic was made again
 * @throws {UnknownTopicError} if it does not exist
 * @throws {BrokerError} if it cannot be read
 * @throws the reason of the signal
 */
export async function readControl(
  admin: Pick<BrokerAdmin, "read">,
  topic: string,
  state: ControlState,
  { from, nowMs, signal }: { readonly from: number; readonly nowMs: () => number; readonly signal?: AbortSignal },
): Promise<number | null> {
  let position = from;
  while (true) {
    const options = { from: position, maxBytes: PAGE_BYTES, ...(signal === undefined ? {} : { signal }) };
    const { records, next, high, lastStable } = await admin.read(topic, CONTROL_PARTITION, options);
    if (high < position) return null;
    for (const record of records) state.apply(record, nowMs());
    const hasMoved = next > position;
    position = next;
    if (next >= lastStable || !hasMoved) return position;
    // An embedded broker reads without a turn of the event loop: a million records would block it for seconds (measured).
    await nextTurn();
  }
}
