/** The events about the end of an attempt. Those that most jobs cause are made only for a listener. */
import { describeError, type ErrorInfo, type Interrupt } from "../../errors.ts";
import type { Retry } from "../../job/error_handlers.ts";
import type { WorkerConfig } from "../config.ts";
import type { Attempt } from "./attempt.ts";
import { toJobInfo, toPerformedEvent } from "./job_info.ts";

/** See the module. */
export class AttemptEvents {
  readonly #config: Pick<WorkerConfig, "monitor" | "nowMs" | "sessionTimeoutMs">;

  constructor(config: Pick<WorkerConfig, "monitor" | "nowMs" | "sessionTimeoutMs">) {
    this.#config = config;
  }

  /** @param endedMs the time of its end, on the clock of `performance.now()` */
  emitPerformed(attempt: Attempt, endedMs: number): void {
    const { monitor, nowMs } = this.#config;
    if (!monitor.hasListener("job.performed")) return;
    monitor.emit("job.performed", toPerformedEvent(attempt, endedMs, nowMs));
  }

  emitHalted(attempt: Attempt): void {
    this.#config.monitor.emit("job.halted", { ...toJobInfo(attempt), durationMs: attempt.durationMs });
  }

  emitCancelled(attempt: Attempt): void {
    const { topic, partition, offset, jobClass, jobId } = toJobInfo(attempt);
    const { by, why } = attempt.cancellation!;
    const job = { topic, partition, offset, jobClass, jobId, durationMs: attempt.durationMs };
    this.#config.monitor.emit("job.cancelled", { ...job, state: "running", by, why });
  }

  /** @param event whether its class has given the job up, or handled the error */
  emitHandled(event: "job.discarded" | "job.rescued", attempt: Attempt, thrown: unknown): void {
    const { monitor } = this.#config;
    if (!monitor.hasListener(event)) return;
    monitor.emit(event, {
      ...toJobInfo(attempt),
      durationMs: attempt.durationMs,
      error: describeError(thrown),
    });
  }

  emitRetry(attempt: Attempt, { waitMs, inPlace }: Retry, thrown: unknown): void {
    const { monitor } = this.#config;
    // To describe an error costs more than a small job: its stack is formatted.
    if (!monitor.hasListener("job.retry_scheduled")) return;
    monitor.emit("job.retry_scheduled", {
      ...toJobInfo(attempt),
      durationMs: attempt.durationMs,
      error: describeError(thrown),
      waitMs,
      inPlace,
      executions: attempt.executions,
    });
  }

  emitRetryStopped(attempt: Attempt, thrown: unknown): void {
    const { executions } = attempt;
    this.#config.monitor.emit("job.retry_stopped", { ...toJobInfo(attempt), error: describeError(thrown), executions });
  }

  emitInterrupted(attempt: Attempt, { step, reason }: Interrupt, waitMs: number): void {
    const { durationMs } = attempt;
    this.#config.monitor.emit("job.interrupted", { ...toJobInfo(attempt), durationMs, step, reason, waitMs });
  }

  /** @param waitMs the time until the next try; `null` for a dead letter */
  emitFailed(attempt: Attempt, error: ErrorInfo, waitMs: number | null): void {
    this.#config.monitor.emit("job.failed", {
      ...toJobInfo(attempt),
      durationMs: attempt.durationMs,
      error,
      next: waitMs === null ? "dead_letter" : "retry",
      waitMs: waitMs ?? 0,
    });
  }

  emitRevoked(attempt: Attempt, outcome: "passed" | "failed"): void {
    const { monitor, sessionTimeoutMs } = this.#config;
    const { durationMs } = attempt;
    monitor.emit("job.revoked", { ...toJobInfo(attempt), durationMs, outcome, sessionTimeoutMs });
  }
}
