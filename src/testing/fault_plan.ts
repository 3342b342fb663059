/** The faults that a test has planned and that have not come yet. A fault that has come is removed from the plan. */
import type { Written } from "../errors.ts";
import type { EnqueuedJob } from "./jobs.ts";
import type { Selection } from "./selection.ts";

/**
 * The fault of a job that is performed. `"revoke"`: its partition is lost while it runs. `"crash"`: its mark is lost
 * after it has succeeded.
 */
export type JobFault = "revoke" | "crash";

/** The failure of an append. */
export interface AppendFault {
  /** The error of the outcome. */
  readonly error: Error;
  /** Whether the outcome excludes that the record is in the log. */
  readonly written: Written;
  /** Whether the record is in the log nevertheless. Only with `written: "unknown"`. */
  readonly stored: boolean;
}

interface Planned {
  /** The number of times that it has still to come. */
  left: number;
}

interface PlannedJobFault extends Planned {
  readonly kind: JobFault;
  readonly isSelected: Selection;
}

interface PlannedAppendFault extends Planned {
  /** The full name of the topic; `null` for all topics. */
  readonly topic: string | null;
  readonly fault: AppendFault;
}

/** The plan of one test. */
export class FaultPlan {
  readonly #jobFaults: PlannedJobFault[] = [];
  readonly #appendFaults: PlannedAppendFault[] = [];

  /** Plans a fault of the next selected jobs. */
  addForJobs(kind: JobFault, isSelected: Selection, times: number): void {
    this.#jobFaults.push({ kind, isSelected, left: times });
  }

  /** Plans a fault of the next appends. */
  addForAppends(topic: string | null, fault: AppendFault, times: number): void {
    this.#appendFaults.push({ topic, fault, left: times });
  }

  /** The number of faults that have not come yet. */
  get pending(): number {
    return [...this.#jobFaults, ...this.#appendFaults].reduce((sum, { left }) => sum + left, 0);
  }

  /**
   * Removes a fault of a job from the plan.
   *
   * @returns whether one was planned
   */
  takeForJob(kind: JobFault, job: EnqueuedJob): boolean {
    return take(this.#jobFaults, (planned) => planned.kind === kind && planned.isSelected(job)) !== undefined;
  }

  /**
   * Removes a fault of an append to a topic from the plan.
   *
   * @returns the fault; `undefined` if none was planned
   */
  takeForAppend(topic: string): AppendFault | undefined {
    return take(this.#appendFaults, (planned) => planned.topic === null || planned.topic === topic)?.fault;
  }
}

function take<Plan extends Planned>(plans: Plan[], matches: (plan: Plan) => boolean): Plan | undefined {
  const due = plans.find((plan) => plan.left > 0 && matches(plan));
  if (due !== undefined) due.left--;
  return due;
}
