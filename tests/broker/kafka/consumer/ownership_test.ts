import { assert, assertEquals } from "@std/assert";
import {
  KafkaOwnership,
  MAX_METADATA_LENGTH,
  workerMetadata,
} from "../../../../src/broker/kafka/consumer/ownership.ts";

const START = { offset: 3, metadata: "aj1:abcdefghij12:theirs" };

Deno.test("KafkaOwnership shows the worker's metadata only, and that of other clients as it is", () => {
  assertEquals(new KafkaOwnership("t", 0, START).committed, { offset: 3, metadata: "theirs" });
  assertEquals(new KafkaOwnership("t", 0, { offset: 3, metadata: "by hand" }).committed?.metadata, "by hand");
  assertEquals(new KafkaOwnership("t", 0, null).committed, null);
});

Deno.test("isProvedBy() is true of what it began with, as long as nothing of its own was acknowledged", () => {
  const ownership = new KafkaOwnership("t", 0, START);
  assert(ownership.isProvedBy(START));
  assert(!ownership.isProvedBy({ ...START, metadata: "aj1:abcdefghij13:theirs" }));
  assert(!ownership.isProvedBy(null));
  const commit = ownership.sending(5, "mine");
  assert(ownership.isProvedBy(START), "it may not have arrived");
  assert(ownership.isProvedBy(commit), "it may have arrived");
  ownership.settle(commit, "committed");
  assert(ownership.isProvedBy(commit));
  assert(!ownership.isProvedBy(START), "another program has set it back");
});

Deno.test("isProvedBy() is true of the last acknowledged commit, and of those after it whose outcome is not known", () => {
  const ownership = new KafkaOwnership("t", 0, null);
  const first = ownership.sending(1, "");
  const second = ownership.sending(2, "");
  const third = ownership.sending(3, "");
  const fourth = ownership.sending(4, "");
  ownership.settle(second, "committed");
  ownership.settle(third, "unknown");
  ownership.settle(fourth, "refused");
  assertEquals([first, second, third, fourth].map((commit) => ownership.isProvedBy(commit)), [
    false,
    true,
    true,
    false,
  ]);
  ownership.settle(first, "unknown");
  assert(!ownership.isProvedBy(first), "an older one that comes to an end late changes nothing");
});

Deno.test("isProvedBy() is false of the same offset with another's metadata", () => {
  const mine = new KafkaOwnership("t", 0, null);
  const theirs = new KafkaOwnership("t", 0, null);
  const commit = mine.sending(5, "x");
  mine.settle(commit, "committed");
  assert(!mine.isProvedBy(theirs.sending(5, "x")));
});

Deno.test("lowestOffset is the committed offset of the group, and only rises", () => {
  const ownership = new KafkaOwnership("t", 0, START);
  assertEquals(ownership.lowestOffset, 3);
  ownership.settle(ownership.sending(9, ""), "committed");
  assertEquals(ownership.lowestOffset, 9);
  ownership.settle(ownership.sending(7, ""), "committed");
  assertEquals(ownership.lowestOffset, 9);
});

Deno.test("metadata of the longest length is kept, and fits into Kafka's default limit", () => {
  const ownership = new KafkaOwnership("t", 0, null);
  const longest = "x".repeat(MAX_METADATA_LENGTH);
  assertEquals(workerMetadata(ownership.sending(1, longest).metadata), longest);
  assertEquals(ownership.sending(1, longest).metadata.length, 4000);
});
