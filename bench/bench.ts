/** A bench: the type that each file of `bench/benches/` exports lists of, and the choice among them. */
import type { Figure } from "./figures.ts";
import type { CommandLine, Size } from "./options.ts";
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

/** Returns the benches that a command line asks for, in their order; names are those of benches and of groups. */
export function selectBenches(
  benches: readonly Bench[],
  { isShort, names }: Pick<CommandLine, "isShort" | "names">,
): Bench[] {
  return benches.filter(({ name, group, isLongOnly = false }) => {
    if (names.includes(name)) return true;
    if (isShort && isLongOnly) return false;
    return names.length === 0 || names.includes(group);
  });
}
