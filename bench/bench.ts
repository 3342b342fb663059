/** A bench: the type that each file of `bench/benches/` exports lists of. */
import type { Figure } from "./figures.ts";
import type { Size } from "./options.ts";
import type { Peers } from "./peers.ts";

/** The values that a bench is run with. */
export interface Context {
  /** The size of the run. */
  readonly size: Size;
  /** The job queues on servers of their own. */
  readonly peers: Peers;
}

/** A bench. */
export interface Bench {
  /** The name on the command line. */
  readonly name: string;
  /** `"kafka"` needs a Kafka; `"sqlite"` and `"local"` need no server. */
  readonly group: "kafka" | "sqlite" | "local";
  /** Whether it has no bar, so that the short form leaves it out unless it is named. @default false */
  readonly isLongOnly?: boolean;
  /** Measures. */
  run(context: Context): Promise<readonly Figure[]>;
}
