/** A memory broker with a smaller limit for the metadata of a commit. */
import { assert } from "@std/assert";
import type { Broker, BrokerSource, Consumer } from "../../src/broker/broker.ts";
import type { FaultInjectionLog } from "./fault_injection_log.ts";

/** A memory broker that accepts less metadata, and the consumer that was started last. */
export class LimitedBroker implements BrokerSource {
  readonly name = "memory:";
  readonly embedded = true;
  readonly #log: FaultInjectionLog;
  readonly #maxLength: number;
  consumer: Consumer | undefined;
  /** Called with each commit; the function that it returns is called once it is acknowledged. */
  onCommit = (): () => void => () => {};
  /** Returns whether the broker refuses a commit as too long, although that is within its limit. */
  isTooLong = (_metadata: string): boolean => false;

  constructor(log: FaultInjectionLog, maxLength: number) {
    this.#log = log;
    this.#maxLength = maxLength;
  }

  open(): Promise<Broker> {
    const broker = this.#log.open();
    const capabilities = { ...broker.capabilities, maxCommitMetadataLength: this.#maxLength };
    const consume: Broker["consume"] = (options, sink) => {
      const consumer = this.consumer = broker.consume(options, sink);
      const commit = consumer.commit.bind(consumer);
      consumer.commit = (marks, commitOptions) => {
        for (const { metadata } of marks) assert(metadata.length <= this.#maxLength, metadata);
        if (marks.some(({ metadata }) => this.isTooLong(metadata))) {
          return Promise.resolve(marks.map(() => "metadata_too_long"));
        }
        const acknowledge = this.onCommit();
        return commit(marks, commitOptions).then((outcomes) => {
          if (outcomes.includes("committed")) acknowledge();
          return outcomes;
        });
      };
      return consumer;
    };
    return Promise.resolve(
      new Proxy(broker, {
        get: (target, name) =>
          name === "capabilities" ? capabilities : name === "consume" ? consume : bound(target, name),
      }),
    );
  }
}

function bound(target: object, name: string | symbol): unknown {
  const value = Reflect.get(target, name);
  return typeof value === "function" ? value.bind(target) : value;
}
