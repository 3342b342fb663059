/** The guards of the producer on Kafka: partitions that wait for their in-sync replicas do not delay others, and a dead leader is not waited for. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";

const SOURCE = "src/broker/kafka/producer";
const TESTS = ["tests/broker/kafka/producer/lagging_replicas_test.ts"];

export const KAFKA_PRODUCER_MUTANTS: readonly Mutant[] = [
  {
    what: "kafka: a batch that waits for a dead leader goes to the next one at once",
    file: `${SOURCE}/producer.ts`,
    find: "queue.endLeaderWait();",
    replace: "isStale = true;",
    tests: ["tests/broker/kafka/producer/lost_leader_test.ts"],
    only: "with the metadata that names it",
  },
  {
    what: "kafka: a leader that has responded again is not looked for",
    file: `${SOURCE}/responses.ts`,
    find: "      queue.hasLostLeader = false;\n",
    replace: "",
    tests: ["tests/broker/kafka/producer/lost_leader_test.ts"],
    only: "no other leader",
  },
  {
    what: "kafka: while a leader cannot be reached the cluster is asked for another one",
    file: `${SOURCE}/producer.ts`,
    find: "        else isStale = true;\n      }\n      if (!this.#leaders.canReach",
    replace: "      }\n      if (!this.#leaders.canReach",
    tests: ["tests/broker/kafka/producer/lost_leader_test.ts"],
    only: "with the metadata that names it",
  },
  {
    what: "kafka: a connection that a silent leader does not open is not waited for once another broker leads",
    file: `${SOURCE}/expiry.ts`,
    find: "if (queue.head!.bytes.sealed !== null) queue.inFlight = null;",
    replace: "",
    tests: ["tests/broker/kafka/producer/lost_leader_test.ts"],
    only: "connection to a silent leader",
  },
  {
    what: "kafka: the wait before a batch is sent again is short once another leader is known",
    file: `${SOURCE}/partition_queue.ts`,
    find: "    this.head?.resetRetry();\n",
    replace: "",
    tests: ["tests/broker/kafka/producer/partition_queue_test.ts"],
    only: "shortly again",
  },
  {
    what: "kafka: a partition that waits for its replicas has a connection for its kind",
    file: `${SOURCE}/sender.ts`,
    find: 'isLagging ? "produce lagging" : "produce"',
    replace: '"produce"',
    tests: TESTS,
    only: "delays others of its leader once",
  },
  {
    what: "kafka: a leader waits for replicas for a short time where other partitions may wait behind",
    file: `${SOURCE}/sender.ts`,
    find: "isLagging ? LAGGING_ACK_TIMEOUT_MS : ACK_TIMEOUT_MS",
    replace: "LAGGING_ACK_TIMEOUT_MS * 10",
    tests: TESTS,
    only: "delays others of its leader once",
  },
  {
    what: "kafka: a partition that waits for its replicas is sent apart",
    file: `${SOURCE}/responses.ts`,
    find: "queue.isLagging = true;",
    replace: "",
    tests: TESTS,
    only: "delays others of its leader once",
  },
  {
    what: "kafka: a partition whose replicas follow again goes out with the others",
    file: `${SOURCE}/responses.ts`,
    find: "if (performance.now() - queue.inFlight!.sentMs < ACK_TIMEOUT_MS) queue.isLagging = false;",
    replace: "",
    tests: TESTS,
    only: "follow again",
  },
  {
    what: "kafka: requests for partitions that wait for their replicas go out one after the other",
    file: `${SOURCE}/producer.ts`,
    find: "if (busy.has(leader)) continue;",
    replace: "",
    tests: TESTS,
    only: "share the next request",
  },
  {
    what: "kafka: the outcome of a record is reported at once",
    file: `${SOURCE}/append_call.ts`,
    find: "this.#settled?.(index, outcome);",
    replace: "",
    tests: TESTS,
    only: "as soon as it is known",
  },
];
