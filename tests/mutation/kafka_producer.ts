/** The guards of the producer on Kafka: partitions that wait for their in-sync replicas do not delay others. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";

const SOURCE = "src/broker/kafka/producer";
const TESTS = ["tests/broker/kafka/producer/lagging_replicas_test.ts"];

export const KAFKA_PRODUCER_MUTANTS: readonly Mutant[] = [
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
