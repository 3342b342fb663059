/** Figures beside those of the peers that are at hand. */
import { type Bar, compare, type Figure, type Heading, withoutBase } from "../figures.ts";
import type { PeerState } from "../peers.ts";
import { interleaved, type Program, type Results } from "../rounds.ts";

/** Runs a program of ours and of each peer that is at hand. */
export async function besidePeers(
  rounds: number,
  states: readonly PeerState[],
  program: (kind: string) => Program,
): Promise<Readonly<Record<string, Results>>> {
  const kinds = ["ours", ...states.filter(({ missing }) => missing === null).map(({ kind }) => kind)];
  return await interleaved(rounds, Object.fromEntries(kinds.map((kind) => [kind, program(kind)])));
}

/** A figure of ours beside that of a peer, or the reason for which there is none. */
export function besidePeer(
  heading: Heading,
  ours: readonly number[],
  { name, missing }: Pick<PeerState, "name" | "missing">,
  values: readonly number[],
  bar: Bar | null,
): Figure {
  return missing === null
    ? compare(heading, ours, { name, values }, bar)
    : withoutBase(heading, ours, name, missing, bar);
}
