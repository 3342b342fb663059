/** A generation of a group, as its members have it. */
import type { TopicPartition } from "../../../support/position.ts";

/** A partition of the new share, with the group's committed offset. */
export interface AssignedPartition extends TopicPartition {
  /** `null` for nothing. */
  readonly committed: { readonly offset: number; readonly metadata: string } | null;
}

/** A member in one generation of its group. */
export interface Generation {
  readonly memberId: string;
  readonly generationId: number;
}
