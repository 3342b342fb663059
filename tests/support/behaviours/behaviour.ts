/** Registers the tests of the promised behaviours, on every broker. */
import { brokers, type BrokerUnderTest } from "./brokers.ts";
import { World } from "./world.ts";

/** The brokers on which a behaviour is tested. */
export interface BehaviourOptions {
  /** The brokers that can show the behaviour. @default all */
  readonly on?: readonly BrokerUnderTest["name"][];
  /** The reason why the others cannot. It is not read: it documents the test. */
  readonly because?: string;
}

/**
 * Registers the test of a promised behaviour, once for each broker that can show it. The test also fails if a process
 * emitted an `error.occurred` that the test did not allow with `world.allowErrors()`.
 *
 * @param name the behaviour's id and sentence: `"A1: a job that throws …"`
 * @param options the test, or the brokers that can show the behaviour
 * @param run the test, if there are options
 */
export function behaviour(
  name: string,
  options: BehaviourOptions | ((world: World) => Promise<void>),
  run?: (world: World) => Promise<void>,
): void {
  const { on } = typeof options === "function" ? {} as BehaviourOptions : options;
  const body = typeof options === "function" ? options : run!;
  for (const broker of brokers) {
    if (on !== undefined && !on.includes(broker.name)) continue;
    Deno.test(`${name} (${broker.name})`, async () => {
      const world = await World.open(broker.name);
      try {
        await body(world);
      } finally {
        await world.close();
      }
      world.assertNoOtherErrors();
    });
  }
}
