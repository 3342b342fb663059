import { assert, assertEquals } from "@std/assert";
import { Session } from "../../../src/broker/kafka/session.ts";

/** A session, and what it said. */
function session(timeoutMs: number): { session: Session; said: boolean[]; next: () => Promise<boolean> } {
  const said: boolean[] = [];
  let heard = Promise.withResolvers<boolean>();
  const changed = (held: boolean) => {
    said.push(held);
    heard.resolve(held);
    heard = Promise.withResolvers();
  };
  return { session: new Session(timeoutMs, changed), said, next: () => heard.promise };
}

Deno.test("Session counts from when a heartbeat was sent, not from when its answer came", () => {
  const { session: slow } = session(10_000);
  slow.answered(Date.now() - 4000);
  assertEquals(slow.heldUntilMs, 0);
  slow.confirmed();
  const left = slow.heldUntilMs - performance.now();
  assert(left > 5000 && left <= 6001, `${left}`);
  slow.ended();
});

Deno.test("Session does not last longer where the clock went back after the heartbeat was sent", () => {
  const { session: early } = session(10_000);
  early.answered(Date.now() + 60_000);
  early.confirmed();
  const left = early.heldUntilMs - performance.now();
  assert(left > 9000 && left <= 10_000, `${left}`);
  early.ended();
});

Deno.test("Session is held once it is proved, and not after its time", async () => {
  const { session: short, said, next } = session(40);
  short.answered(Date.now());
  short.confirmed();
  assertEquals(said, []);
  const over = next().then(next);
  short.proved(true);
  assertEquals(said, [true]);
  assertEquals(await over, false);
  assert(performance.now() >= short.heldUntilMs);
  short.answered(Date.now());
  short.confirmed();
  assertEquals(said, [true, false, true]);
  short.ended();
  assertEquals([said.at(-1), short.heldUntilMs], [false, 0]);
});

Deno.test("Session says each change once, and never goes back behind a later heartbeat", () => {
  const { session: steady, said } = session(10_000);
  steady.proved(true);
  assertEquals(said, []);
  steady.answered(Date.now());
  steady.confirmed();
  const until = steady.heldUntilMs;
  steady.answered(Date.now() - 3000);
  steady.confirmed();
  assertEquals(steady.heldUntilMs, until);
  steady.proved(true);
  steady.proved(false);
  steady.proved(false);
  assertEquals(said, [true, false]);
  steady.ended();
});
