/** A memory broker whose appends a test can hold, and whose last consumer of jobs it can read. */
import type { Broker, BrokerSource, Consumer } from "../../src/broker/broker.ts";
import type { FaultInjectionLog } from "./fault_injection_log.ts";

/** The source of such a broker. */
export interface HeldBroker extends BrokerSource {
  /** The consumer of jobs that was started last. */
  readonly consumer: Consumer;
  /**
   * Holds each append to a topic from now on.
   *
   * @returns `held`, which resolves once an append is held, and `release`, which lets the appends continue
   */
  hold(topic: string): { readonly held: Promise<void>; release(): void };
}

/** Makes a source over a log. */
export function heldBroker(log: FaultInjectionLog): HeldBroker {
  let consumer: Consumer | undefined;
  const holds = new Map<string, { held: PromiseWithResolvers<void>; gone: PromiseWithResolvers<void> }>();
  const open = (): Broker => {
    const broker = log.open();
    return {
      name: broker.name,
      capabilities: broker.capabilities,
      admin: broker.admin,
      connect: (signal) => broker.connect(signal),
      append: async (topic, records) => {
        const hold = holds.get(topic);
        hold?.held.resolve();
        await hold?.gone.promise;
        return await broker.append(topic, records);
      },
      consume: (options, sink) => {
        const started = broker.consume(options, sink);
        if (!options.group.endsWith(".scheduler")) consumer = started;
        return started;
      },
      skip: (...args) => broker.skip(...args),
      [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
    };
  };
  return {
    name: log.name,
    embedded: true,
    open: () => Promise.resolve(open()),
    get consumer() {
      return consumer!;
    },
    hold(topic) {
      const hold = { held: Promise.withResolvers<void>(), gone: Promise.withResolvers<void>() };
      holds.set(topic, hold);
      return {
        held: hold.held.promise,
        release() {
          holds.delete(topic);
          hold.gone.resolve();
        },
      };
    },
  };
}
