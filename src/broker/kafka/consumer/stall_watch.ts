/**
 * Notices a session that stays lost although brokers respond: while none responds this member can own nothing, and a
 * rebalance may take as long as a session.
 */
import { sleep } from "../../../support/deadline.ts";
import type { MetadataCache } from "../wire/metadata_cache.ts";
import type { Session } from "./session.ts";

/** Sessions that may pass before a loss is reported. */
const SESSIONS = 2;

/** The session that is watched, and the metadata that shows whether brokers respond. */
export interface StallWatchOptions {
  readonly session: Pick<Session, "lostSinceMs">;
  readonly metadata: Pick<MetadataCache, "refresh">;
  readonly sessionTimeoutMs: number;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Called each session timeout as long as it lasts. @param lostMs time since the session was lost */
  stalled(lostMs: number): void;
}

/** Watches until the signal aborts. */
export async function watchForStall(options: StallWatchOptions): Promise<void> {
  const { session, metadata, sessionTimeoutMs, signal } = options;
  while (true) {
    await sleep(sessionTimeoutMs, signal);
    if (signal.aborted) return;
    const lostMs = performance.now() - (session.lostSinceMs ?? Infinity);
    if (lostMs < SESSIONS * sessionTimeoutMs) continue;
    const hasAnswer = await metadata.refresh([]).then(() => true, () => false);
    if (hasAnswer && session.lostSinceMs !== null && !signal.aborted) options.stalled(lostMs);
  }
}
