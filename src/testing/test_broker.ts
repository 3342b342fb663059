/**
 * The broker of a test's App: a client of the test's log that records each append, lets appends fail as the test has
 * planned, and gives the worker a {@linkcode TestConsumer}. It lives as long as the App.
 */
import type { AppendOutcome, Broker, BrokerSource, ConsumeOptions, ConsumerSink, NewRecord } from "../broker/broker.ts";
import { lazyImport } from "../support/root_context.ts";
import type { TestContext } from "./test_context.ts";
import { TestConsumer } from "./test_consumer.ts";

/** Returns the `broker` option of a test's App. */
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
  const faults = records.map(() => plan.takeForAppend(topic));
  const written = records.filter((_, index) => faults[index] === undefined || faults[index].stored);
  const outcomes = (await broker.append(topic, written)).values();
  return records.map((record, index) => {
    const fault = faults[index];
    const outcome = fault === undefined || fault.stored ? outcomes.next().value! : undefined;
    if (outcome?.ok) recorder.recordAppend(outcome.position, record);
    return fault === undefined ? outcome! : { ok: false, error: fault.error, written: fault.written };
  });
}

function consume(broker: Broker, context: TestContext, options: ConsumeOptions, sink: ConsumerSink): TestConsumer {
  return new TestConsumer(context, options, sink, (between) => broker.consume(options, between));
}
