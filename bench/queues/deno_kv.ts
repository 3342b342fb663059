/** Deno KV's queue on a file; many jobs by `atomic()`, 500 at a time, which is the fastest. */
import { PADDING } from "../payload.ts";
import type { JobQueue } from "./queue.ts";

const BULK = 500;

/** Opens the file `path`. */
export async function open(path: string): Promise<JobQueue> {
  const kv = await Deno.openKv(path);
  return {
    enqueue: (number) => kv.enqueue([number, PADDING]),
    async enqueueAll(numbers) {
      for (let from = 0; from < numbers.length; from += BULK) {
        let atomic = kv.atomic();
        for (const number of numbers.slice(from, from + BULK)) atomic = atomic.enqueue([number, PADDING]);
        await atomic.commit();
      }
    },
    work(performed) {
      void kv.listenQueue(([number]: [number, string]) => performed(number));
      return Promise.resolve();
    },
  };
}
