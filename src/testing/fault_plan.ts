/**
 * The faults that a test has asked for and that have not come yet. The test's broker and the events of its jobs ask at
 * each step whether one is due; a fault that has come is struck off.
 */
import type { Written } from "../errors.ts";
import type { EnqueuedJob } from "./jobs.ts";
import type { Selection } from "./selection.ts";

/** How an append fails. */
export interface AppendFault {
  /** The error of the outcome. */
  readonly error: Error;
  /** What the outcome says about the log. */
  readonly written: Written;
  /** Whether the record is in the log nevertheless. Only with `written: "unknown"`. */
  readonly stored: boolean;
}

/**
 * What can happen to a job that is performed: its partition goes while it runs, or its mark is lost once it has passed.
 */
export type JobFault = "revoke" | "crash";

interface Planned {
  left: number;
}

interface PlannedJobFault extends Planned {
  readonly kind: JobFault;
  readonly isMeant: Selection;
}

interface PlannedAppendFault extends Planned {
  /** By its full name; `null` for each. */
  readonly topic: string | null;
  readonly fault: AppendFault;
}

/** See the module. */
export class FaultPlan {
  readonly #jobs: PlannedJobFault[] = [];
  readonly #appends: PlannedAppendFault[] = [];

  /** Plans a fault of the next jobs that are meant. */
  planForJobs(kind: JobFault, isMeant: Selection, times: number): void {
    this.#jobs.push({ kind, isMeant, left: times });
  }

  /** Plans a fault of the next appends. */
  planForAppends(topic: string | null, fault: AppendFault, times: number): void {
    this.#appends.push({ topic, fault, left: times });
  }

  /** How many have not come yet. */
  get pending(): number {
    return [...this.#jobs, ...this.#appends].reduce((sum, { left }) => sum + left, 0);
  }

  /** Whether this happens to this job now. */
  strikes(kind: JobFault, job: EnqueuedJob): boolean {
    return take(this.#jobs, (planned) => planned.kind === kind && planned.isMeant(job)) !== undefined;
  }

  /** What happens to a record that is appended now. */
  strikesAppend(topic: string): AppendFault | undefined {
    return take(this.#appends, (planned) => planned.topic === null || planned.topic === topic)?.fault;
  }
}

function take<Plan extends Planned>(plans: Plan[], isDue: (plan: Plan) => boolean): Plan | undefined {
  const due = plans.find((plan) => plan.left > 0 && isDue(plan));
  if (due !== undefined) due.left--;
  return due;
}
