/** The guards of reading a place of a log of a Kafka. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";

const SOURCE = "src/broker/kafka";
const TESTS = "tests/broker/kafka";

export const KAFKA_READ_MUTANTS: readonly Mutant[] = [
  {
    what: "kafka: a read looks for the leader again after an error",
    file: `${SOURCE}/read_log.ts`,
    find: "if (this.#mayHaveMoved || this.#cluster",
    replace: "if (this.#cluster",
    tests: [`${TESTS}/read_log_test.ts`],
    only: "looks for the leader again",
  },
  {
    what: "kafka: a read that stops inside of a batch continues there",
    file: `${SOURCE}/read_log.ts`,
    find: "next = Math.min(part.next, to);",
    replace: "next = part.next;",
    tests: [`${TESTS}/read_log_test.ts`],
    only: "stops at",
  },
  {
    what: "kafka: a read leaves out aborted records",
    file: `${SOURCE}/read_log.ts`,
    find: "batch.magic === MAGIC && filter.skips(data, batch)",
    replace: "false",
    tests: [`${TESTS}/read_log_test.ts`],
    only: "leaves out aborted",
  },
  {
    what: "kafka: a read before the log starts at its beginning",
    file: `${SOURCE}/read_log.ts`,
    find: "this.#from = ends.low;",
    replace: 'throw new ProtocolError("Fetch", error);',
    tests: [`${TESTS}/read_log_test.ts`],
    only: "starts at the beginning",
  },
  {
    what: "kafka: a read behind the log returns its ends",
    file: `${SOURCE}/read_log.ts`,
    find: "if (this.#from > ends.high) return",
    replace: "if (this.#from < 0) return",
    tests: [`${TESTS}/read_log_test.ts`],
    only: "returns the ends of the log",
  },
  {
    what: "kafka: a read fetches damaged data once more",
    file: `${SOURCE}/read_log.ts`,
    find: "const isFirst = this.#damagedAt !== this.#from;",
    replace: "const isFirst = false;",
    tests: [`${TESTS}/read_log_test.ts`],
    only: "fetches a damaged batch once more",
  },
  {
    what: "kafka: a read does not fetch damaged data for ever",
    file: `${SOURCE}/read_log.ts`,
    find: "this.#damagedAt = this.#from;",
    replace: "",
    tests: [`${TESTS}/read_log_test.ts`],
    only: "one offset at a time",
  },
  {
    what: "kafka: a read returns what cannot be read behind the records of a batch",
    file: `${SOURCE}/read_log.ts`,
    find: "while (part.next <= open.header.bounds.lastOffset)",
    replace: "while (false)",
    tests: [`${TESTS}/read_log_test.ts`],
    only: "before the damage inside",
  },
  {
    what: "kafka: a read stops between the parts of a large batch",
    file: `${SOURCE}/read_log.ts`,
    find: "if (bytes >= maxBytes || next === to) return",
    replace: "if (next === to) return",
    tests: [`${TESTS}/read_log_test.ts`],
    only: "large batch in gzip",
  },
  {
    what: "kafka: a read copies windows on the response",
    file: `${SOURCE}/read_log.ts`,
    find: "Buffer.isBuffer(data) ? new Uint8Array(data) : data",
    replace: "data",
    tests: [`${TESTS}/read_log_test.ts`],
    only: "keeps the response alive",
  },
  {
    what: "kafka: a read has a connection of its own",
    file: `${SOURCE}/read_log.ts`,
    find: '      "read",\n',
    replace: '      "control",\n',
    tests: [`${TESTS}/read_log_test.ts`],
    only: "on a connection of its own",
  },
  {
    what: "kafka: a read ends with its signal",
    file: `${SOURCE}/read_log.ts`,
    find: "return await abortable(",
    replace: "return await ((promise: Promise<LogPage>, _: unknown) => promise)(",
    tests: [`${TESTS}/read_log_test.ts`],
    only: "also while a broker is silent",
  },
];
