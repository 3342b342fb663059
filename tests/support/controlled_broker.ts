/** The memory broker behind a hand that can hold appends to a topic, and that shows the consumer which a worker got. */
import type { Broker, BrokerSource, Consumer } from "../../src/broker/broker.ts";
import type { FaultInjectionLog } from "./fault_injection_log.ts";

/** See the module. */
export interface HeldBroker extends BrokerSource {
  /** The consumer that was made last. */
  readonly consumer: Consumer;
  /** Holds every append to a topic from now on. @returns what lets them go; and what resolves once one is held */
  hold(topic: string): { readonly held: Promise<void>; letGo(): void };
}

/** A source over a log. */
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
      consume: (options, sink) => consumer = broker.consume(options, sink),
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
        letGo() {
          holds.delete(topic);
          hold.gone.resolve();
        },
      };
    },
  };
}
