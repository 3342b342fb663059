/** The settings of the App of a child process, which the test passes in the environment. */

/** The settings. */
export interface ChildSettings {
  /** `"memory"`, or a Kafka's URL. */
  readonly broker: string;
  /** The App's name, its group, and its queues' prefix. */
  readonly name: string;
  /** The time that a stop waits for running jobs, in ms. */
  readonly shutdownTimeoutMs?: number;
  /** The jobs to enqueue when the App is loaded: class and argument. */
  readonly enqueue?: readonly (readonly [jobClass: string, n: number])[];
  /** Whether loading the module never ends. @default false */
  readonly stalls?: boolean;
  /**
   * The moment at which the process sends itself a TERM. `"consume"`: when it joins. `"releasing"`: when its group
   * rebalances.
   */
  readonly termAt?: "consume" | "releasing";
  /** The moment at which the memory log goes offline for good. `"consume"`: when the worker joins. */
  readonly offlineAt?: "load" | "consume" | "performed";
}

/** The name of the environment variable that has the settings, as JSON. */
export const SETTINGS = "CHILD_SETTINGS";

/** Reads the settings. */
export function readSettings(): ChildSettings {
  return JSON.parse(Deno.env.get(SETTINGS)!);
}
