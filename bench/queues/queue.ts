/**
 * One interface for every job queue that a bench compares: this library, kafkajs, Deno KV, BullMQ, graphile-worker and
 * pg-boss. Each file of this folder has one, set up as its documentation advises for speed. The packages of peers are
 * loaded by the programs that measure them, and by nothing else.
 */

/** A queue of no-op jobs. A job has a number and 59 characters of padding as its arguments. */
export interface JobQueue {
  /** Enqueues one job. */
  enqueue(number: number): Promise<unknown>;
  /** Enqueues many jobs with the queue's call for that; they are stored once it resolves. */
  enqueueAll(numbers: readonly number[]): Promise<unknown>;
  /**
   * Enqueues many jobs, each due at a time in milliseconds since 1970, which is its number; they are stored once it resolves.
   * Absent where the queue has no delayed jobs.
   */
  enqueueAllAt?(dueAtMs: readonly number[]): Promise<unknown>;
  /** Creates what must be there before; absent where that happens by itself. */
  create?(): Promise<unknown>;
  /** Resolves once all that was enqueued is stored; absent where `enqueue` itself does so. */
  flush?(): Promise<unknown>;
  /** Starts a worker, and resolves once it takes jobs. It calls `performed` with the number of each job. */
  work(performed: (number: number) => void): Promise<void>;
  /** Returns the version of the server, if there is one, and removes what earlier runs have left there. */
  prepare?(): Promise<string>;
}

/** Opens the queue with this name. */
export type OpenQueue = (name: string) => Promise<JobQueue>;

/** The queues, by the name of their file. */
export const QUEUES = ["ours", "bare_kafka", "deno_kv", "bullmq", "graphile_worker", "pg_boss"] as const;

/** A queue. */
export type QueueKind = typeof QUEUES[number];

/** Opens a queue; loads no other. */
export async function openQueue(kind: string, name: string): Promise<JobQueue> {
  const { open } = await import(`./${kind}.ts`) as { open: OpenQueue };
  return await open(name);
}

/** Loads a package of a peer. The specifier is not a literal, so that only a program that calls this downloads it. */
// deno-lint-ignore no-explicit-any
export async function loadPackage(specifier: string): Promise<any> {
  return await import(specifier);
}
