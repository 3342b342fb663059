/** The status of topics with the reports of the workers, which are read once for both. */
import type { App } from "../../app/app.ts";
import type { ReportedWorker } from "../../reports/reported_worker.ts";
import type { AppStatus, StatusOptions } from "../../status/status.ts";
import { withRunning } from "./fleet.ts";
import { PART_LIMIT_MS, type PartLoader } from "./part_loader.ts";

/** The status with the reports. */
export interface StatusWithWorkers {
  readonly status: AppStatus;
  /** The workers that report; `null` if they are not known. */
  readonly workers: readonly ReportedWorker[] | null;
}

/**
 * Loads both. Reports that cannot be read become a note.
 *
 * @throws {InvalidConfigurationError} for a topic that the App does not declare
 */
export async function loadStatus(
  app: App,
  parts: PartLoader,
  options: Pick<StatusOptions, "topics" | "command"> = {},
): Promise<StatusWithWorkers> {
  const reports = parts.load("The workers are not known", () => app.workers());
  const [status, workers] = await Promise.all([
    app.status({ ...options, timeoutMs: PART_LIMIT_MS, workers: reports.then((workers) => workers ?? []) }),
    reports,
  ]);
  return { status: workers === null ? status : { ...status, topics: withRunning(status.topics, workers) }, workers };
}
