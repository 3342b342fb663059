/** The commit by which a group passes over one record. Pure. */
import type { Commit, DecideSkip } from "../../broker/broker.ts";
import { BrokerError } from "../../errors.ts";
import { formatPosition, type Position } from "../../support/position.ts";
import { decodeCommitMetadata, encodeCommitMetadata, type Progress } from "./commit_metadata.ts";
import { isInRanges } from "./offset_states.ts";

/** Settings of a skip. */
export interface SkipSettings {
  /** Whether the records before it do not matter: the jobs of a partition need not run in its order. */
  readonly isAlone: boolean;
  /** Whether the records before it are passed over as well. */
  readonly force: boolean;
}

/**
 * Returns the function by which a broker decides on a skip. The group moves to the record's end if it is at the record, or
 * by force; else the record joins what is finished beyond the front.
 */
export function skipCommit(position: Position, { isAlone, force }: SkipSettings): DecideSkip {
  const { offset } = position;
  return (committed, end, maxLength) => {
    const progress = decodeCommitMetadata(committed.metadata, committed.offset);
    if (isInRanges(offset, progress.finished)) {
      throw new BrokerError(`Cannot skip ${formatPosition(position)}: it is finished already`);
    }
    if (offset === committed.offset || force) {
      return { offset: end, metadata: encodeCommitMetadata(since(progress, end), end, maxLength) };
    }
    return isAlone ? finish(progress, committed.offset, { position, end, maxLength }) : null;
  };
}

function finish(
  progress: Progress,
  front: number,
  { position, end, maxLength }: { readonly position: Position; readonly end: number; readonly maxLength: number },
): Commit {
  const { offset } = position;
  const isOther = (other: number): boolean => other !== offset;
  const metadata = encodeCommitMetadata(
    {
      failed: progress.failed.filter((record) => isOther(record.offset)),
      strikes: progress.strikes,
      givenUp: progress.givenUp.filter(isOther),
      stuck: progress.stuck.filter(isOther),
      finished: [...progress.finished, { from: offset, to: end }].sort((a, b) => a.from - b.from),
    },
    front,
    maxLength,
  );
  const { finished } = decodeCommitMetadata(metadata, front);
  if (isInRanges(offset, finished)) return { offset: front, metadata };
  throw new BrokerError(
    `Cannot skip ${formatPosition(position)}: it is too far ahead of offset ${front}, which is not finished`,
  );
}

/** The progress from a position on. */
function since({ failed, strikes, givenUp, stuck, finished }: Progress, front: number): Progress {
  return {
    failed: failed.filter(({ offset }) => offset >= front),
    strikes,
    givenUp: givenUp.filter((offset) => offset >= front),
    stuck: stuck.filter((offset) => offset >= front),
    finished: finished.filter(({ to }) => to > front).map(({ from, to }) => ({ from: Math.max(from, front), to })),
  };
}
