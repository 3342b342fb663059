/** The producer's reaction to each error code, on a scripted broker. */
import { assert, assertEquals } from "@std/assert";
import type { AppendOutcome, NewRecord } from "../../../../src/broker/broker.ts";
import { Code, errorName } from "../../../../src/broker/kafka/wire/errors.ts";
import { Producer } from "../../../../src/broker/kafka/producer/producer.ts";
import { Api, type ScriptedRequest } from "../../../support/kafka/scripted_broker.ts";
import { PRODUCER_ID, ScriptedKafka, TOPIC } from "../../../support/kafka/scripted_kafka.ts";
import { batchesOf, type ProducedBatch } from "../../../support/kafka/scripted_log.ts";
import { produceResponse } from "../../../support/kafka/scripted_responses.ts";

type Written = "no" | "unknown";

/** The time after which a record is given up: a short standstill of the machine does not use it up. In milliseconds. */
const GIVEN_UP_MS = 2000;

async function withProducer(
  use: (kafka: ScriptedKafka, append: (...values: string[]) => Promise<readonly AppendOutcome[]>) => Promise<void>,
  deliveryTimeoutMs = 20_000,
): Promise<void> {
  await using kafka = new ScriptedKafka();
  const cluster = kafka.connect();
  const options = { deliveryTimeoutMs, metadataMaxAgeMs: 30_000 } as const;
  const producer = new Producer(cluster, options);
  try {
    await use(kafka, (...values) => producer.append(TOPIC, values.map((value): NewRecord => ({ value }))));
  } finally {
    producer.close();
    cluster.close();
  }
}

function sent(kafka: ScriptedKafka): ProducedBatch[] {
  return kafka.broker.received(Api.produce).flatMap(batchesOf);
}

function written(outcomes: readonly AppendOutcome[]): (Written | number)[] {
  return outcomes.map((outcome) => outcome.ok ? outcome.position.offset : outcome.written);
}

/** Sent again as it was. The codes of a leader that has moved also ask for the leader. */
const SENT_AGAIN: readonly (readonly [code: number, asksForLeader: boolean, written: Written])[] = [
  [Code.notLeader, true, "unknown"],
  [Code.unknownTopicOrPartition, true, "unknown"],
  [Code.kafkaStorageError, true, "unknown"],
  [Code.leaderNotAvailable, true, "no"],
  [Code.replicaNotAvailable, true, "no"],
  [Code.fencedLeaderEpoch, true, "no"],
  [Code.unknownLeaderEpoch, true, "no"],
  [Code.unknownTopicId, true, "no"],
  [Code.requestTimedOut, false, "unknown"],
  [Code.notEnoughReplicasAfterAppend, false, "unknown"],
  [Code.unknown, false, "unknown"],
  [Code.notEnoughReplicas, false, "no"],
  [Code.corruptMessage, false, "no"],
  [Code.throttlingQuotaExceeded, false, "no"],
];

for (const [code, asksForLeader] of SENT_AGAIN) {
  const again = asksForLeader ? "asks for the leader, and sends the same bytes again" : "sends the same bytes again";
  Deno.test(`Producer after ${errorName(code)}: ${again}`, async () => {
    await withProducer(async (kafka, append) => {
      await append("0");
      const asked = kafka.broker.received(Api.metadata).length;
      const refuse = (request: ScriptedRequest) => kafka.refuse(request, code);
      kafka.broker.next(Api.produce, refuse, refuse);
      assertEquals(written(await append("1", "2")), [1, 2]);
      const [, first, second, third] = sent(kafka);
      assertEquals([second, third], [first, first]);
      assertEquals([first!.epoch, first!.sequence, first!.count], [0, 1, 2]);
      assertEquals(kafka.broker.received(Api.metadata).length > asked, asksForLeader);
      assertEquals(sent(kafka).length, 4);
    });
  });
}

Deno.test("Producer gives up what is refused again and again: for each code as written or not, as it may be", async () => {
  await Promise.all(SENT_AGAIN.map(([code, , given]) =>
    withProducer(async (kafka, append) => {
      kafka.broker.on(Api.produce, (request) => kafka.refuse(request, code));
      const startedMs = performance.now();
      const [outcome] = await append("never");
      assert(outcome !== undefined && !outcome.ok);
      assertEquals(outcome.written, given, errorName(code));
      assert(outcome.error.message.includes(`(last: ${errorName(code)})`), outcome.error.message);
      assert(performance.now() - startedMs >= GIVEN_UP_MS - 1);
      kafka.broker.on(Api.produce, (request) => kafka.produce(request));
      assertEquals(written(await append("next")), [0]);
      // A late copy of the batch that was given up is refused under its old epoch.
      const last = sent(kafka).at(-1)!;
      assertEquals([last.epoch, last.sequence], [given === "unknown" ? 1 : 0, 0], errorName(code));
    }, GIVEN_UP_MS)
  ));
});

for (
  const code of [
    Code.outOfOrderSequenceNumber,
    Code.invalidProducerEpoch,
    Code.unknownProducerId,
    Code.producerFenced,
  ]
) {
  Deno.test(`Producer after ${errorName(code)}: goes on under the next epoch, from sequence 0`, async () => {
    await withProducer(async (kafka, append) => {
      await append("0", "1", "2");
      kafka.broker.next(Api.produce, (request) => kafka.refuse(request, code));
      assertEquals(written(await append("3")), [3]);
      assertEquals(written(await append("4")), [4]);
      assertEquals(sent(kafka).map(({ producerId, epoch, sequence }) => [producerId, epoch, sequence]), [
        [PRODUCER_ID, 0, 0],
        [PRODUCER_ID, 0, 3],
        [PRODUCER_ID, 1, 0],
        [PRODUCER_ID, 1, 1],
      ]);
    });
  });
}

for (const code of [Code.messageTooLarge, Code.recordListTooLarge, Code.invalidRecord, Code.invalidTimestamp]) {
  Deno.test(`Producer after ${errorName(code)}: halves the batch until the record that is to blame is alone`, async () => {
    await withProducer(async (kafka, append) => {
      kafka.broker.on(Api.produce, (request) => {
        const isGuilty = batchesOf(request).some(({ bytes }) => bytes.includes("guilty"));
        return isGuilty ? kafka.refuse(request, code) : kafka.produce(request);
      });
      const outcomes = await append("0", "1", "2", "guilty", "4", "5", "6", "7", "8");
      assertEquals(written(outcomes), [0, 1, 2, "no", 3, 4, 5, 6, 7]);
      const guilty = outcomes[3]!;
      assert(!guilty.ok);
      const isTooLarge = code === Code.messageTooLarge || code === Code.recordListTooLarge;
      assertEquals(guilty.error.name, isTooLarge ? "RecordTooLargeError" : "RecordRefusedError");
      if (!isTooLarge) assert(guilty.error.message.includes(errorName(code)), guilty.error.message);
      // Nothing of the refused ones was written: their sequences are used for what follows.
      const accepted = sent(kafka).filter(({ bytes }) => !bytes.includes("guilty"));
      assertEquals(accepted.reduce((sum, { count }) => sum + count, 0), 8);
      let sequence = 0;
      for (const batch of accepted) {
        assertEquals([batch.epoch, batch.sequence], [0, sequence]);
        sequence += batch.count;
      }
    });
  });
}

Deno.test("Producer does not halve a batch that may be written: it is given up as unknown", async () => {
  await withProducer(async (kafka, append) => {
    kafka.broker.next(
      Api.produce,
      (request) => kafka.refuse(request, Code.requestTimedOut),
      (request) => kafka.refuse(request, Code.invalidRecord),
    );
    assertEquals(written(await append("0", "1")), ["unknown", "unknown"]);
    assertEquals(sent(kafka).length, 2);
  });
});

for (
  const [code, given] of [
    [Code.topicAuthorizationFailed, "no"],
    [Code.clusterAuthorizationFailed, "no"],
    [Code.invalidTopic, "no"],
    [Code.invalidRequiredAcks, "no"],
    [Code.policyViolation, "no"],
    [Code.unsupportedVersion, "no"],
    [Code.unsupportedForMessageFormat, "no"],
    [Code.unsupportedCompressionType, "no"],
    // Younger than this library: nothing is known of it.
    [32_000, "unknown"],
  ] as const
) {
  Deno.test(`Producer after ${errorName(code)}: refuses at once, "${given}"`, async () => {
    await withProducer(async (kafka, append) => {
      kafka.broker.next(Api.produce, (request) => kafka.refuse(request, code));
      const [outcome] = await append("0");
      assert(outcome !== undefined && !outcome.ok);
      assertEquals(outcome.written, given);
      assertEquals(outcome.error.message, `Cannot append to topic "${TOPIC}": ${errorName(code)}`);
      assertEquals(sent(kafka).length, 1);
    });
  });
}

Deno.test("Producer takes DUPLICATE_SEQUENCE_NUMBER for an acknowledgement without an offset", async () => {
  await withProducer(async (kafka, append) => {
    kafka.broker.next(Api.produce, (request) => kafka.refuse(request, Code.duplicateSequenceNumber));
    assertEquals(written(await append("0", "1")), [-1, -1]);
    assertEquals(written(await append("2")), [0]);
    assertEquals(sent(kafka).map(({ sequence }) => sequence), [0, 2]);
  });
});

for (const answer of ["silence", "cut", "cutInFrame", "unreadable", "leftOut"] as const) {
  Deno.test(`Producer after a response that does not come (${answer}): sends the same bytes again`, async () => {
    await using kafka = new ScriptedKafka();
    const cluster = kafka.connect({ requestTimeoutMs: answer === "silence" ? 1000 : 10_000 });
    const script = (request: ScriptedRequest) => {
      kafka.produce(request);
      if (answer === "unreadable") return Uint8Array.of(1);
      return answer === "leftOut" ? produceResponse([]) : answer;
    };
    const options = { deliveryTimeoutMs: 20_000, metadataMaxAgeMs: 30_000 } as const;
    const producer = new Producer(cluster, options);
    kafka.broker.next(Api.produce, script, (request) => kafka.refuse(request, Code.duplicateSequenceNumber));
    assertEquals(written(await producer.append(TOPIC, [{ value: "0" }])), [-1]);
    const [first, second] = sent(kafka);
    assertEquals(second, first);
    producer.close();

    // Given up, it may be written.
    const hasty = new Producer(cluster, { ...options, deliveryTimeoutMs: 500 });
    kafka.broker.on(Api.produce, script);
    assertEquals(written(await hasty.append(TOPIC, [{ value: "1" }])), ["unknown"]);
    hasty.close();
    cluster.close();
  });
}
