/** One case of the conformance suite. */
import type { Need } from "./harness.ts";
import type { World } from "./world.ts";

/** A case. */
export interface Case {
  /** A sentence: what the broker does, and when. */
  readonly name: string;
  /** The members of the harness that it needs. @default none */
  readonly needs?: readonly Need[];
  /** Runs the case; rejects if the broker fails it. */
  run(world: World): Promise<void>;
}
