/** The history of an App's jobs, which its workers share: it begins with the first worker and ends with the last one. */
import type { Monitor } from "../monitor/monitor.ts";
import type { Clock } from "../support/clock.ts";
import { JobHistory } from "./job_history.ts";
import type { WorkerHistory } from "./reported_worker.ts";

/** The share of one worker. */
export interface HistoryShare {
  /** Returns the history; `null` for all workers but the first, so that each job is reported once. */
  snapshot(): WorkerHistory | null;

  /** Ends the share. */
  close(): void;
}

interface Shared {
  readonly history: JobHistory;
  readonly shares: Set<HistoryShare>;
}

const byMonitor = new WeakMap<Monitor, Shared>();

/** Returns a share of the history of an App. @param monitor the App's */
export function shareHistory(monitor: Monitor, clock: Pick<Clock, "nowMs">): HistoryShare {
  let shared = byMonitor.get(monitor);
  if (shared === undefined) {
    byMonitor.set(monitor, shared = { history: new JobHistory(monitor, clock), shares: new Set() });
  }
  const { history, shares } = shared;
  const share: HistoryShare = {
    snapshot() {
      const [first] = shares;
      return first === share ? history.snapshot() : null;
    },
    close() {
      shares.delete(share);
      if (shares.size > 0) return;
      history.close();
      byMonitor.delete(monitor);
    },
  };
  shares.add(share);
  return share;
}
