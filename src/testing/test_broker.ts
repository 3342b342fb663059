/**
 * The broker of a test's App: the memory log, and between it and the App what a test needs. It writes down each append,
 * lets appends fail as the test has planned, hands over only the jobs that are to be performed now, and takes
 * partitions away. It lives as long as the App that opened it.
 */
import type { AppendOutcome, Broker, BrokerSource, ConsumeOptions, ConsumerSink, NewRecord } from "../broker/broker.ts";
import { lazyImport } from "../support/lazy_import.ts";
import type { TestContext } from "./test_context.ts";
import { TestConsumer } from "./test_consumer.ts";

/** What a test's App takes as its `broker`. */
export function testBroker(context: TestContext): BrokerSource {
  return {
    name: context.log.name,
    embedded: true,
    open: async () => {
      const { FaultyBroker } = await lazyImport(() => import("./faulty_broker.ts"));
      const broker = new FaultyBroker(context.log);
      return {
        name: broker.name,
        capabilities: broker.capabilities,
        admin: broker.admin,
        connect: (signal) => broker.connect(signal),
        skip: (...args) => broker.skip(...args),
        append: (topic, records) => append(broker, context, topic, records),
        consume: (options, sink) => consume(broker, context, options, sink),
        [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
      };
    },
  };
}

async function append(
  broker: Broker,
  { recorder, plan }: TestContext,
  topic: string,
  records: readonly NewRecord[],
): Promise<readonly AppendOutcome[]> {
  const faults = records.map(() => plan.strikesAppend(topic));
  const written = records.filter((_, index) => faults[index] === undefined || faults[index].stored);
  const outcomes = (await broker.append(topic, written)).values();
  return records.map((record, index) => {
    const fault = faults[index];
    const outcome = fault === undefined || fault.stored ? outcomes.next().value! : undefined;
    if (outcome?.ok) recorder.append(outcome.position, record);
    return fault === undefined ? outcome! : { ok: false, error: fault.error, written: fault.written };
  });
}

function consume(broker: Broker, context: TestContext, options: ConsumeOptions, sink: ConsumerSink): TestConsumer {
  return new TestConsumer(context, options, sink, (between) => broker.consume(options, between));
}
