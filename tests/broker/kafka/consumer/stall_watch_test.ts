import { assert, assertEquals } from "@std/assert";
import { watchForStall } from "../../../../src/broker/kafka/consumer/stall_watch.ts";

const SESSION_TIMEOUT_MS = 20;

/** Watches a session. @param responds: whether brokers respond */
function watch(session: { lostSinceMs: number | null }, answers: () => boolean) {
  const stalls: number[] = [];
  const looks = { count: 0, next: Promise.withResolvers<void>() };
  const end = new AbortController();
  const refresh = () => {
    looks.count++;
    looks.next.resolve();
    looks.next = Promise.withResolvers();
    return answers() ? Promise.resolve() : Promise.reject(new Error("No broker answers"));
  };
  const running = watchForStall({
    session,
    metadata: { refresh },
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    signal: end.signal,
    stalled: (lostMs) => void stalls.push(lostMs),
  });
  return {
    stalls,
    looks,
    async [Symbol.asyncDispose]() {
      end.abort();
      await running;
    },
  };
}

Deno.test("watchForStall() reports, again and again, a session that stays lost for two timeouts", async () => {
  await using watched = watch({ lostSinceMs: performance.now() }, () => true);
  for (let look = 0; look < 3; look++) await watched.looks.next.promise;
  assert(watched.stalls.length >= 2 && watched.stalls[0]! >= 2 * SESSION_TIMEOUT_MS, `${watched.stalls}`);
  assertEquals(watched.stalls, watched.stalls.toSorted((a, b) => a - b));
});

Deno.test("watchForStall() reports nothing while no broker responds", async () => {
  await using watched = watch({ lostSinceMs: performance.now() }, () => false);
  for (let look = 0; look < 3; look++) await watched.looks.next.promise;
  assertEquals(watched.stalls, []);
});

Deno.test("watchForStall() reports nothing of a session that is valid again when the broker has responded", async () => {
  const session: { lostSinceMs: number | null } = { lostSinceMs: performance.now() };
  await using watched = watch(session, () => {
    session.lostSinceMs = null;
    return true;
  });
  await watched.looks.next.promise;
  assertEquals([watched.stalls, watched.looks.count], [[], 1]);
});
