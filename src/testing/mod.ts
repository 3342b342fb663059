/**
 * The test kit: an App for one test, on a log of its own, with assertions and with the faults of real brokers.
 *
 * @module
 */
export type { ExpectedJob } from "./assertions.ts";
export type { Block } from "./block.ts";
export type { AppendFaultOptions, FaultOptions, Faults } from "./faults.ts";
export type { JobAssertions } from "./job_assertions.ts";
export type { DeadLetter, EnqueuedJob, PerformedJob } from "./jobs.ts";
export type { JobFilter, JobSelector, PerformOptions } from "./selection.ts";
export { FakeClock } from "./fake_clock.ts";
export { TestApp, type TestAppOptions } from "./test_app.ts";
