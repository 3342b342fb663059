/**
 * The sessions of a group's members, as one observer sees them.
 *
 * The wall clock may be set back or forth. So an observer reads from a row only how long its session is still valid, at
 * most one session, and waits that long by a monotonic clock. A member that has renewed meanwhile has another time in its
 * row and starts again.
 */
import type { MemberRow } from "./members.ts";

/** See the module. */
export class Sessions {
  readonly #seen = new Map<string, { readonly expiresAtMs: number; readonly endsAtMs: number }>();

  /** Takes note of all members of the group. */
  observe(members: readonly MemberRow[]): void {
    const ids = new Set(members.map(({ id }) => id));
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id);
    for (const { id, expiresAtMs, sessionMs } of members) {
      if (this.#seen.get(id)?.expiresAtMs === expiresAtMs) continue;
      const validForMs = Math.min(Math.max(expiresAtMs - Date.now(), 0), sessionMs);
      this.#seen.set(id, { expiresAtMs, endsAtMs: performance.now() + validForMs });
    }
  }

  /** Whether a member is live; `false` for one that was not observed. */
  isLive(id: string): boolean {
    return (this.#seen.get(id)?.endsAtMs ?? 0) > performance.now();
  }

  /** Whether the session of an observed member has expired, unless it was renewed since. */
  get hasExpired(): boolean {
    const nowMs = performance.now();
    for (const { endsAtMs } of this.#seen.values()) if (endsAtMs <= nowMs) return true;
    return false;
  }
}
