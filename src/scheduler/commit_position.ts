/**
 * The codec of the metadata that is committed for a partition of the topic of delayed jobs: `v1;w=<live − front>:<D>`. The
 * front is the committed offset: the lowest schedule that waits. Up to the live position everything was read, and what of it
 * was due before D is finished. Its size is constant, however many wait. Pure.
 *
 * Untrusted when it is read, since any client may commit.
 */

/** The progress of a partition. */
export interface SchedulePosition {
  /** The committed offset: the first schedule that is not finished, else the position that was read up to. */
  readonly front: number;
  /** Everything before this offset was read. */
  readonly live: number;
  /** The earliest due time of all that wait before the live position; `Infinity` if none waits. */
  readonly dueAtMs: number;
}

/** Encodes the metadata. Empty if nothing waits. */
export function encodeSchedulePosition({ front, live, dueAtMs }: SchedulePosition): string {
  if (live <= front) return "";
  return `v1;w=${live - front}:${Math.min(Math.max(0, Math.floor(dueAtMs)), Number.MAX_SAFE_INTEGER)}`;
}

/** Decodes the metadata of a commit. */
export function decodeSchedulePosition(metadata: string, front: number): SchedulePosition {
  const [, length, dueAtMs] = /^v1;w=(\d{1,15}):(\d{1,16})$/.exec(metadata) ?? [];
  if (length === undefined) return { front, live: front, dueAtMs: Infinity };
  return { front, live: front + Number(length), dueAtMs: Number(dueAtMs) };
}
