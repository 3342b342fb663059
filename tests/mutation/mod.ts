/** The guards that `deno task test:mutation` takes away one by one, each with the tests that must notice. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";
import { CLI_MUTANTS } from "./cli.ts";
import { CORE_MUTANTS } from "./core.ts";
import { DASHBOARD_MUTANTS } from "./dashboard.ts";
import { DEAD_LETTERS_MUTANTS } from "./dead_letters.ts";
import { FLOW_CONTROL_MUTANTS } from "./flow_control.ts";
import { HEALTH_MUTANTS } from "./health.ts";
import { JOB_MUTANTS } from "./job.ts";
import { KAFKA_MUTANTS } from "./kafka.ts";
import { KAFKA_PRODUCER_MUTANTS } from "./kafka_producer.ts";
import { KAFKA_READ_MUTANTS } from "./kafka_read.ts";
import { RECURRING_MUTANTS } from "./recurring.ts";
import { REPORTS_MUTANTS } from "./reports.ts";
import { PAGES_MUTANTS } from "./pages.ts";
import { SCHEDULER_MUTANTS } from "./scheduler.ts";
import { SCRIPTED_KAFKA_MUTANTS } from "./kafka_scripted.ts";
import { CONTROL_MUTANTS } from "./control.ts";
import { KEYS_MUTANTS } from "./keys.ts";
import { MEMORY_MUTANTS } from "./memory.ts";
import { SQLITE_MUTANTS } from "./sqlite.ts";
import { STATUS_MUTANTS } from "./status.ts";
import { TASKS_MUTANTS } from "./tasks.ts";
import { TESTING_MUTANTS } from "./testing.ts";
import { WORKER_MUTANTS } from "./worker.ts";

/** Every guard. */
export const MUTANTS: readonly Mutant[] = [
  ...CLI_MUTANTS,
  ...CORE_MUTANTS,
  ...DASHBOARD_MUTANTS,
  ...DEAD_LETTERS_MUTANTS,
  ...FLOW_CONTROL_MUTANTS,
  ...HEALTH_MUTANTS,
  ...JOB_MUTANTS,
  ...MEMORY_MUTANTS,
  ...SQLITE_MUTANTS,
  ...KAFKA_MUTANTS,
  ...KAFKA_PRODUCER_MUTANTS,
  ...KAFKA_READ_MUTANTS,
  ...CONTROL_MUTANTS,
  ...KEYS_MUTANTS,
  ...RECURRING_MUTANTS,
  ...REPORTS_MUTANTS,
  ...PAGES_MUTANTS,
  ...SCHEDULER_MUTANTS,
  ...SCRIPTED_KAFKA_MUTANTS,
  ...STATUS_MUTANTS,
  ...TASKS_MUTANTS,
  ...TESTING_MUTANTS,
  ...WORKER_MUTANTS,
];
