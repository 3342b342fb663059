/** The guards of the Kafka adapter. Those whose tests are in `tests/kafka` need a Kafka. */
import type { Mutant } from "../../tasks/mutants.ts";

/** All of them. */
export const KAFKA_MUTANTS: readonly Mutant[] = [
  {
    what: "kafka: an ownership goes on only if the group's commit is its own",
    file: "src/broker/kafka/share.ts",
    find: "ownership !== null && ownership.provedBy(now)",
    replace: "ownership !== null",
    tests: ["tests/kafka/consumer_test.ts"],
  },
  {
    what: "kafka: who comes back as another member has lost what he owned",
    file: "src/broker/kafka/share.ts",
    find: "memberId !== this.#memberId",
    replace: "false",
    tests: ["tests/kafka/conformance_test.ts"],
  },
  {
    what: "kafka: a commit never moves the group back",
    file: "src/broker/kafka/share.ts",
    find: "intake.proved && next >= intake.ownership!.floor",
    replace: "intake.proved",
    tests: ["tests/kafka/conformance_test.ts"],
  },
  {
    what: "kafka: nothing of an ended ownership is committed",
    file: "src/broker/kafka/share.ts",
    find: "intake !== null && intake.ownership === ownership ? intake : null",
    replace: "intake",
    tests: ["tests/kafka/conformance_test.ts"],
  },
  {
    what: "kafka: a client whose batch was given up is thrown away",
    file: "src/broker/kafka/producer.ts",
    find: "if (maybeWritten) this.#throwAway();",
    replace: "",
    tests: ["tests/kafka/producer_test.ts"],
  },
  {
    what: "kafka: a batch whose answer was lost may be written",
    file: "src/broker/kafka/producer.ts",
    find: "if (sent && (type === null || AMBIGUOUS.has(type) || batches.length > 1)) mark(batches);",
    replace: "",
    tests: ["tests/kafka/producer_test.ts"],
  },
  {
    what: "kafka: of two claims the younger is true",
    file: "src/broker/kafka/assigner.ts",
    find: "b.sinceMs - a.sinceMs ||",
    replace: "",
    tests: ["tests/broker/kafka/assigner_test.ts"],
  },
  {
    what: "kafka: a heartbeat counts from when it was sent",
    file: "src/broker/kafka/session.ts",
    find: "performance.now() - Math.max(0, Date.now() - sentAt)",
    replace: "performance.now() + Math.min(0, sentAt)",
    tests: ["tests/broker/kafka/session_test.ts"],
  },
  {
    what: "kafka: the same offset with another's metadata proves nothing",
    file: "src/broker/kafka/ownership.ts",
    find: "a.offset === b.offset && a.metadata === b.metadata",
    replace: "a.offset === b.offset",
    tests: ["tests/broker/kafka/ownership_test.ts"],
  },
  {
    what: "kafka: what was acknowledged goes on only with a commit of its own",
    file: "src/broker/kafka/ownership.ts",
    find: "return !this.#sent.some((commit) => commit.acknowledged) && same",
    replace: "return same",
    tests: ["tests/broker/kafka/ownership_test.ts"],
  },
  {
    what: "kafka: a sent batch is sent again as it was",
    file: "src/broker/kafka/producer.ts",
    find: "waiting = again.flat();",
    replace: "waiting = again.flat().flatMap((batch) => batch.at.length > 1 ? halved(batch) : [batch]);",
    tests: ["tests/kafka/producer_test.ts"],
  },
];
