/**
 * The peers on servers of their own: which of them are at hand. A peer is measured in the same run as the library, or
 * its row says why not.
 */
import { run } from "./rounds.ts";

/** The peers, by the name of their file in `bench/queues/`. */
export const PEERS = {
  bullmq: { name: "BullMQ", server: "Redis", variable: "REDIS_URL" },
  graphile_worker: { name: "graphile-worker", server: "PostgreSQL", variable: "POSTGRES_URL" },
  pg_boss: { name: "pg-boss", server: "PostgreSQL", variable: "POSTGRES_URL" },
} as const;

/** A peer. */
export type PeerKind = keyof typeof PEERS;

/** The state of a peer: the version of its server, or the reason for which it cannot be measured. */
export type PeerState =
  | { readonly kind: PeerKind; readonly name: string; readonly server: string; readonly missing: null }
  | { readonly kind: PeerKind; readonly name: string; readonly missing: string };

/** Finds out which peers are at hand. */
export class Peers {
  readonly #states = new Map<PeerKind, Promise<PeerState>>();

  /** Returns the state of a peer. The first call connects, and removes what earlier runs have left on the server. */
  find(kind: PeerKind): Promise<PeerState> {
    let state = this.#states.get(kind);
    if (state === undefined) this.#states.set(kind, state = findPeer(kind));
    return state;
  }

  /** Returns the states of all peers. */
  all(): Promise<PeerState[]> {
    return Promise.all((Object.keys(PEERS) as PeerKind[]).map((kind) => this.find(kind)));
  }

  /** Returns the servers that were used so far: `"Redis 7.0.15"`. */
  async servers(): Promise<string[]> {
    const states = await Promise.all(this.#states.values());
    return [...new Set(states.flatMap((state) => state.missing === null ? [state.server] : []))];
  }
}

async function findPeer(kind: PeerKind): Promise<PeerState> {
  const { name, server, variable } = PEERS[kind];
  if ((Deno.env.get(variable) ?? "") === "") return { kind, name, missing: `${variable} is not set` };
  try {
    const { version } = await run({ program: "queue_prepare", args: [kind] }) as { version: string };
    return { kind, name, server: `${server} ${version}`, missing: null };
  } catch (error) {
    console.error((error as Error).message);
    return { kind, name, missing: `it cannot be used at ${variable}` };
  }
}
