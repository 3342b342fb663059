/** The shape of one case of the conformance suite. */
import type { Need } from "./harness.ts";
import type { World } from "./world.ts";

/** A case: what a broker must do. */
export interface Case {
  /** A sentence: who does what when. */
  readonly name: string;
  /** What the broker, or its harness, must have. */
  readonly needs?: readonly Need[];
  /** Does it, and throws if the broker does not. */
  run(world: World): Promise<void>;
}
