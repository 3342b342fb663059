import { assert, assertEquals } from "@std/assert";
import type { NewRecord } from "../../../src/broker/broker.ts";
import { exactSizeOf, freeze, halved } from "../../../src/broker/kafka/batches.ts";

const info = (partitions: number, maxBatchBytes: number) => ({
  leaders: new Map(Array.from({ length: partitions }, (_, n) => [n, 0])),
  maxBatchBytes,
});

function frozen(records: readonly NewRecord[], partitions: number, maxBatchBytes: number) {
  let spread = 0;
  return freeze("t", records, info(partitions, maxBatchBytes), () => spread++);
}

Deno.test("freeze() keeps every record once, in order per partition, within the budget", () => {
  const records = Array.from({ length: 3000 }, (_, n): NewRecord => ({
    value: `${n}`.padEnd(20 + n % 50),
    ...(n % 3 === 0 ? { key: `k${n % 17}` } : {}),
  }));
  const { requests, refused } = frozen(records, 5, 4000);
  assertEquals(refused, []);
  const byPartition = Map.groupBy(requests.flat(), ({ partition }) => partition);
  for (const [, batches] of byPartition) {
    const at = batches.flatMap((batch) => [...batch.at]);
    assertEquals(at, at.toSorted((a, b) => a - b));
  }
  assertEquals(requests.flat().flatMap((batch) => [...batch.at]).sort((a, b) => a - b), [...records.keys()]);
  for (const request of requests) {
    assertEquals(new Set(request.map(({ partition }) => partition)).size, request.length, "one batch a partition");
    assert(request.reduce((sum, { at }) => sum + at.length, 0) <= 1000);
    for (const { messages } of request) {
      const bytes = messages.reduce((sum, message) => sum + exactSizeOf(message) - 61, 61);
      assert(bytes <= 4000, `${bytes}`);
    }
  }
});

Deno.test("freeze() spreads records that have neither key nor partition", () => {
  const { requests } = frozen(Array.from({ length: 9 }, () => ({ value: "v" })), 3, 1000);
  assertEquals(requests[0]!.map(({ at }) => at.length), [3, 3, 3]);
});

Deno.test("freeze() refuses what can never be written, and takes the rest", () => {
  const { requests, refused } = frozen(
    [{ value: "x".repeat(3000) }, { value: "a" }, { value: "b", partition: 9 }],
    1,
    2000,
  );
  assertEquals(refused.map(({ at }) => at), [0, 2]);
  assertEquals(refused[0]!.error.name, "RecordTooLargeError");
  assert(/3\d{3} bytes.*2000/.test(refused[0]!.error.message), refused[0]!.error.message);
  assertEquals(requests.flat().flatMap(({ at }) => [...at]), [1]);
});

Deno.test("freeze() takes a record that just fits", () => {
  const bytes = exactSizeOf(frozen([{ value: "x".repeat(1900) }], 1, 5000).requests[0]![0]!.messages[0]!);
  assertEquals(frozen([{ value: "x".repeat(1900) }], 1, bytes).refused.length, 0);
  assertEquals(frozen([{ value: "x".repeat(1900) }], 1, bytes - 1).refused.length, 1);
});

Deno.test("halved() keeps every record and its order", () => {
  const [batch] = frozen(Array.from({ length: 7 }, (_, n) => ({ value: `${n}` })), 1, 5000).requests[0]!;
  const [first, second] = halved(batch!);
  assertEquals([[...first.at], [...second.at]], [[0, 1, 2], [3, 4, 5, 6]]);
  assertEquals([first.messages.length, second.messages.length], [3, 4]);
});
