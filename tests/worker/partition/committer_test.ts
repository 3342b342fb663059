/** The committer: marks together, one commit at a time, again after a refusal, never beyond a deadline. */
import { assert, assertEquals } from "@std/assert";
import type { CommitOutcome as Outcome, Mark, Ownership } from "../../../src/broker/broker.ts";
import { type CommitSource, Committer } from "../../../src/worker/partition/committer.ts";

/** A consumer that records its commits, which end when the test ends them. */
class HeldConsumer {
  readonly commits: number[][] = [];
  readonly deadlines: (number | undefined)[] = [];
  inFlight = 0;
  /** The largest number of commits in flight at once. */
  most = 0;
  readonly #pending: ((outcomes: Outcome[]) => void)[] = [];
  readonly #begun: (() => void)[] = [];

  async commit(marks: readonly Mark[], options: { readonly deadlineMs?: number } = {}): Promise<Outcome[]> {
    this.commits.push(marks.map(({ next }) => next));
    this.deadlines.push(options.deadlineMs);
    this.most = Math.max(this.most, ++this.inFlight);
    this.#begun.shift()?.();
    const outcomes = await new Promise<Outcome[]>((resolve) => this.#pending.push(resolve));
    this.inFlight--;
    return outcomes;
  }

  /** Resolves once a commit is in flight. */
  async begun(): Promise<void> {
    if (this.inFlight === 0) await new Promise<void>((resolve) => this.#begun.push(resolve));
  }

  /** Ends the commit in flight, once there is one. */
  async end(...outcomes: Outcome[]): Promise<void> {
    await this.begun();
    this.#pending.shift()!(outcomes);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

class Partition implements CommitSource {
  next = 0;
  had = 0;

  pendingMark(): Mark | null {
    return this.next === this.had ? null : { ownership: {} as Ownership, next: this.next, metadata: "" };
  }

  confirm({ next }: Mark): void {
    this.had = next;
  }
}

Deno.test("Committer sends the marks of all partitions together, one commit at a time, and nothing twice", async () => {
  const consumer = new HeldConsumer();
  const loop = new Committer(consumer, 0, { maxLength: 4096 });
  const [a, b] = [new Partition(), new Partition()];
  for (const next of [1, 2, 3]) {
    a.next = next;
    loop.schedule(a);
  }
  b.next = 10;
  loop.schedule(b);
  await consumer.begun();
  assertEquals(consumer.commits, [[3, 10]]);
  a.next = 4;
  loop.schedule(a);
  // Timers of one length fire in order: one that schedule() had armed would have fired before this one.
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(consumer.commits.length, 1);
  await consumer.end("committed", "committed");
  assertEquals([a.had, b.had], [3, 10]);
  await consumer.end("committed");
  assertEquals([consumer.commits, a.had, consumer.most], [[[3, 10], [4]], 4, 1]);
  loop.schedule(a);
  await loop.flush(1000);
  assertEquals(consumer.commits.length, 2, "the broker has it already");
  loop.stop();
});

Deno.test("Committer sends refused and unknown marks again with their new value, and drops ended ones", async () => {
  const consumer = new HeldConsumer();
  const loop = new Committer(consumer, 1, { maxLength: 4096 });
  const partitions = [1, 2, 3].map((next) => Object.assign(new Partition(), { next }));
  for (const partition of partitions) loop.schedule(partition);
  await consumer.begun();
  partitions[0]!.next = 11;
  await consumer.end("refused", "unknown", "ended");
  await consumer.end("committed", "committed");
  assertEquals(consumer.commits, [[1, 2, 3], [11, 2]]);
  assertEquals(partitions.map(({ had }) => had), [11, 2, 0]);
  loop.stop();
});

Deno.test("cancel() takes a lost partition out before its mark is sent", async () => {
  const consumer = new HeldConsumer();
  const loop = new Committer(consumer, 1, { maxLength: 4096 });
  const [lost, kept] = [1, 2].map((next) => Object.assign(new Partition(), { next }));
  loop.schedule(lost!);
  loop.schedule(kept!);
  loop.cancel(lost!);
  await consumer.end("committed");
  assertEquals(consumer.commits, [[2]]);
  loop.stop();
});

Deno.test("flush() does not wait for the interval, includes the commit in flight, and ends when all is committed", async () => {
  const consumer = new HeldConsumer();
  const loop = new Committer(consumer, 100_000, { maxLength: 4096 });
  const partition = Object.assign(new Partition(), { next: 1 });
  await loop.flush(1000);
  loop.schedule(partition);
  const flushed = loop.flush(60_000);
  await consumer.begun();
  partition.next = 2;
  loop.schedule(partition);
  await consumer.end("refused");
  await consumer.end("committed");
  await flushed;
  assertEquals([consumer.commits, partition.had], [[[1], [2]], 2]);
  for (const deadlineMs of consumer.deadlines) assert(deadlineMs! > 0 && deadlineMs! <= 60_000);
  loop.stop();
});

Deno.test("flush() does not outlast its deadline, also if the commit in flight never ends", async () => {
  const consumer = new HeldConsumer();
  const loop = new Committer(consumer, 0, { maxLength: 4096 });
  const partition = Object.assign(new Partition(), { next: 1 });
  loop.schedule(partition);
  await consumer.begun();
  await loop.flush(5);
  loop.stop();
  // Its outcome starts nothing: a timer that is left would fail this test.
  await consumer.end("refused");
  assertEquals([consumer.commits, partition.had], [[[1]], 0]);
});

Deno.test("Committer leaves no timer after stop()", () => {
  const committer = new Committer(new HeldConsumer(), 60_000, { maxLength: 4096 });
  committer.schedule(new Partition());
  committer.stop();
});

Deno.test("Committer after metadata that is too long for the broker: the limit becomes half of it, and the mark goes again", async () => {
  const consumer = new HeldConsumer();
  const metadataLimit = { maxLength: 4000 };
  const loop = new Committer(consumer, 0, metadataLimit);
  const lengths: number[] = [];
  const partition: CommitSource = {
    pendingMark: () => {
      lengths.push(Math.min(100, metadataLimit.maxLength));
      return { ownership: {} as Ownership, next: 1, metadata: "x".repeat(lengths.at(-1)!) };
    },
    confirm: () => {},
  };
  loop.schedule(partition);
  await consumer.end("metadata_too_long");
  await consumer.end("metadata_too_long");
  await consumer.end("committed");
  assertEquals([lengths, metadataLimit.maxLength], [[100, 50, 25], 25]);
  loop.stop();
});
