/** The slots of a worker: order, fairness, and the moment at which none is taken. */
import { assert, assertEquals } from "@std/assert";
import { Semaphore } from "../../src/worker/semaphore.ts";

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

Deno.test("Semaphore hands slots over in the order of the requests, and a new request does not overtake", async () => {
  const semaphore = new Semaphore(2);
  const log: string[] = [];
  const take = (name: string) => semaphore.acquire().then(() => void log.push(name));
  await Promise.all([take("a"), take("b")]);
  const waiting = ["c", "d", "e"].map(take);
  assertEquals([semaphore.tryAcquire(), semaphore.acquired], [false, 2]);
  semaphore.release();
  assertEquals(semaphore.tryAcquire(), false, "a slot that is given back belongs to the first waiter");
  await turn();
  assertEquals(log, ["a", "b", "c"]);
  semaphore.release();
  semaphore.release();
  await Promise.all(waiting);
  assertEquals([log, semaphore.acquired], [["a", "b", "c", "d", "e"], 2]);
});

Deno.test("Semaphore.idle() resolves once the last slot is given back, handed-over ones included", async () => {
  const semaphore = new Semaphore(1);
  await semaphore.idle();
  assert(semaphore.tryAcquire());
  let isIdle = false;
  const waiting = semaphore.idle().then(() => void (isIdle = true));
  const next = semaphore.acquire();
  semaphore.release();
  await next;
  await turn();
  assertEquals([isIdle, semaphore.acquired], [false, 1]);
  semaphore.release();
  await waiting;
  assertEquals(semaphore.acquired, 0);
});

Deno.test("Semaphore is fair: with one slot, a partition that always has work does not starve another", async () => {
  const semaphore = new Semaphore(1);
  const runs: string[] = [];
  const partition = async (name: string) => {
    for (let run = 0; run < 5; run++) {
      await semaphore.acquire();
      runs.push(name);
      await Promise.resolve();
      semaphore.release();
    }
  };
  await Promise.all([partition("a"), partition("b"), partition("c")]);
  assertEquals(runs.join(""), "abcabcabcabcabc");
});
