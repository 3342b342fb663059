/** What a row tells the App of a child process, by way of the environment. */

/** See the module. */
export interface ChildSettings {
  /** `"memory"`, or a Kafka's URL. */
  readonly broker: string;
  /** The App's name, its group, and its queues' prefix. */
  readonly name: string;
  /** How long a stop waits, in milliseconds. */
  readonly shutdownTimeoutMs?: number;
  /** What is enqueued when the App is loaded: classes and their argument. */
  readonly enqueue?: readonly (readonly [jobClass: string, n: number])[];
  /** The module never comes to its end. */
  readonly stalls?: boolean;
  /** When the process sends itself a TERM. `"consume"`: as it asks to join. `"releasing"`: as its group rebalances. */
  readonly termAt?: "consume" | "releasing";
  /** When the memory log goes away for good. `"consume"`: as it is asked to join. */
  readonly awayAt?: "load" | "consume" | "performed";
}

/** The name of the variable that has them, as JSON. */
export const SETTINGS = "CHILD_SETTINGS";

/** Reads them. */
export function readSettings(): ChildSettings {
  return JSON.parse(Deno.env.get(SETTINGS)!);
}
