/** The counts of delayed jobs, of all topics together. */
import type { Exposition } from "./exposition.ts";
import { Histogram } from "./histogram.ts";

/** Buckets of lateness, in seconds: a steady worker releases a job within a tenth. */
const LATENESS_BOUNDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400];

/** See the module. */
export class ScheduleCounts {
  scheduled = 0;
  cancelled = 0;
  unreadable = 0;
  readonly latenessSeconds: Histogram = new Histogram(LATENESS_BOUNDS);

  /** Adds them to a scrape. */
  write(to: Exposition): void {
    to.counters("activejob_delayed_scheduled_total", "Jobs that began to wait", [[{}, this.scheduled]]);
    to.histograms(
      "activejob_delayed_lateness_seconds",
      "Time from the due time of a delayed job to its release",
      [[{}, this.latenessSeconds]],
    );
    to.counters("activejob_delayed_cancelled_total", "Delayed jobs that were cancelled", [[{}, this.cancelled]]);
    to.counters(
      "activejob_delayed_unreadable_total",
      "Records among the delayed jobs that were set aside",
      [[{}, this.unreadable]],
    );
  }
}
