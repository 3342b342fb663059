import { assert, assertEquals } from "@std/assert";
import { Session } from "../../../../src/broker/kafka/consumer/session.ts";

/** A session, and the changes that it reported. */
function session(timeoutMs: number): { session: Session; changes: boolean[]; next: () => Promise<boolean> } {
  const changes: boolean[] = [];
  let reported = Promise.withResolvers<boolean>();
  const onChange = (isMember: boolean) => {
    changes.push(isMember);
    reported.resolve(isMember);
    reported = Promise.withResolvers();
  };
  return { session: new Session(timeoutMs, onChange), changes, next: () => reported.promise };
}

Deno.test("Session counts from the time at which a heartbeat was sent, not from its answer", () => {
  const { session: slow } = session(10_000);
  assertEquals(slow.validUntilMs, 0);
  slow.extend(performance.now() - 4000);
  const leftMs = slow.validUntilMs - performance.now();
  assert(leftMs > 5000 && leftMs <= 6000, `${leftMs}`);
  slow.end();
});

Deno.test("Session is a member's once it is proved, and not after its time", async () => {
  const { session: short, changes, next } = session(40);
  short.extend(performance.now());
  assertEquals(changes, []);
  const over = next().then(next);
  short.setProved(true);
  assertEquals(changes, [true]);
  assertEquals(await over, false);
  assert(short.hasExpired);
  short.extend(performance.now());
  assertEquals(changes, [true, false, true]);
  short.end();
  assertEquals([changes.at(-1), short.validUntilMs], [false, 0]);
});

Deno.test("Session reports each change once, and never goes back behind a later heartbeat", () => {
  const { session: steady, changes } = session(10_000);
  steady.setProved(true);
  assertEquals(changes, []);
  steady.extend(performance.now());
  const { validUntilMs } = steady;
  steady.extend(performance.now() - 3000);
  assertEquals(steady.validUntilMs, validUntilMs);
  steady.setProved(true);
  steady.setProved(false);
  steady.setProved(false);
  assertEquals(changes, [true, false]);
  steady.end();
});

Deno.test("Session does not look at the wall clock", () => {
  const { session: steady, changes } = session(10_000);
  const now = Date.now;
  try {
    Date.now = () => now() - 3_600_000;
    steady.extend(performance.now());
    steady.setProved(true);
    assert(steady.validUntilMs > performance.now());
    assertEquals(changes, [true]);
  } finally {
    Date.now = now;
    steady.end();
  }
});
