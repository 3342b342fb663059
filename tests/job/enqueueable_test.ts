/** Arguments that can never be enqueued do not compile; those that a serializer takes do. `deno check` is the test. */
import {
  activeJobTopic,
  App,
  type BigDecimal,
  type CustomArgument,
  type GlobalId,
  InvalidConfigurationError,
  Job,
  type JobArguments,
  type JobClass,
  performAllLater,
  type RailsDuration,
  range,
  type RubyModule,
  type RubyRange,
  type RubySymbol,
  type Serializable,
  symbol,
} from "@activejob/kafka";
import { assertEquals, assertRejects } from "@std/assert";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
interface Tree {
  name: string;
  kids?: Tree[];
  readonly parent?: Tree | null;
}
interface Order {
  id: string;
  lines: readonly number[];
  note?: string | undefined;
  total: bigint;
}
type Id = string & { readonly brand: "Id" };
class Nominal {
  #secret = 1;
  cents: number = this.#secret;
}

class PlainJob extends Job {
  perform(_order: Order, _json: Json, _tree?: Tree, ..._ids: readonly Id[]) {}
}
class LooseJob extends Job {
  // deno-lint-ignore no-explicit-any
  perform(_a: unknown, _b: any, _c: Record<string, unknown>, _d: object, _e: Readonly<Record<Id, Id[]>>) {}
}
class GenericJob<T> extends Job {
  perform(_one: T, _many: T[]) {}
}
class TreeJob extends GenericJob<Tree> {}
class UnionJob extends Job {
  perform(_a: [string, number?], _b: { a: 1 } | { b: 2 }, _c: boolean, _d: undefined, _e: null, _f?: `x${string}`) {}
}
class BuiltInJob extends Job {
  perform(
    _at: { when: Date | null; zone?: Temporal.ZonedDateTime }[],
    _map: Map<string, Set<Date>>,
    _bytes: Uint8Array,
    _range: RubyRange<Temporal.PlainDate>,
    _tree: MapTree,
    _rest: URL | RegExp | RubySymbol | RailsDuration | BigDecimal | GlobalId | RubyModule | undefined,
  ) {}
}
interface MapTree {
  kids: ReadonlyMap<string, MapTree>;
}
class Money {
  #cents = 5n;
  format(): string {
    return String(this.#cents);
  }
}
class Price {
  #cents = 5n;
  format(): string {
    return String(this.#cents);
  }
}
interface Price extends CustomArgument {}
class CustomJob extends Job {
  perform(_amount: Serializable<Money>, _price: Price, _all: Map<string, { prices: Price[] }>) {
    _amount.format();
  }
}
class MixedJob extends Job {
  perform(_at: string | WeakSet<object>, _until?: WeakSet<object>) {}
}
class WrongJob extends Job {
  perform(_set: WeakSet<object>, _map: Map<string, () => void>, _callback: () => void, _symbol: symbol) {}
}
class NestedJob extends Job {
  perform(_a: { at: { when: Money }[] }, _b: Nominal, _c: RegExpExecArray, _d: { run(): void }, _e: typeof Nominal) {}
}

declare const order: Order;
declare const json: Json;
declare const tree: Tree;
declare const id: Id;
declare const mapTree: MapTree;

/** A generic wrapper: the arguments of any job are passed on. */
function enqueue<J extends Job>(
  Class: JobClass<J> & Pick<typeof Job, "performLater">,
  ...args: JobArguments<J>
): Promise<J> {
  return Class.performLater<J>(...args);
}

/** Never called: it only has to compile. */
export function compiles(app: App): Promise<unknown>[] {
  return [
    PlainJob.performLater(order, json, tree, id, id),
    PlainJob.set({ priority: 1 }).performLater(order, { a: [1, { b: null }] }),
    app.enqueue(PlainJob.of(order, json)),
    LooseJob.performLater(new Date(), new Date(), {}, {}, {}),
    TreeJob.performLater(tree, [tree]),
    UnionJob.performLater(["a"], { b: 2 }, true, undefined, null, "xy"),
    MixedJob.performLater("a"),
    enqueue(PlainJob, order, json),
    WrongJob.performNow(new WeakSet(), new Map(), () => {}, Symbol()),
    BuiltInJob.performLater(
      [{ when: new Date() }],
      new Map([["a", new Set([new Date()])]]),
      new Uint8Array(),
      range(Temporal.PlainDate.from("2024-01-01"), null),
      mapTree,
      symbol("a"),
    ),
    CustomJob.performLater(new Money(), new Price(), new Map([["a", { prices: [new Price()] }]])),
  ];
}

/** Never called: each line is an error of the compiler. */
export function doesNotCompile(app: App): unknown[] {
  const { performLater, of } = WrongJob.set({});
  return [
    // @ts-expect-error a WeakSet
    () => WrongJob.performLater(new WeakSet(), new Map() as never, null as never, null as never),
    // @ts-expect-error a Map of functions
    () => WrongJob.performLater(null as never, new Map(), null as never, null as never),
    // @ts-expect-error a function
    () => WrongJob.of(null as never, null as never, () => {}, null as never),
    // @ts-expect-error a symbol
    () => WrongJob.of(null as never, null as never, null as never, Symbol()),
    // @ts-expect-error the same through set()
    () => performLater(new WeakSet(), null as never, null as never, null as never),
    // @ts-expect-error the same through set()
    () => of(new WeakSet(), null as never, null as never, null as never),
    // @ts-expect-error only the string of the union
    () => MixedJob.performLater(new WeakSet()),
    // @ts-expect-error an optional WeakSet
    () => MixedJob.performLater("a", new WeakSet()),
    // @ts-expect-error a class without serializer inside
    () => NestedJob.of({ at: [{ when: new Money() }] }, null as never, null as never, null as never, null as never),
    // @ts-expect-error a class with private members
    () => NestedJob.of(null as never, new Nominal(), null as never, null as never, null as never),
    // @ts-expect-error an array with further properties
    () => NestedJob.of(null as never, null as never, /x/.exec("x")!, null as never, null as never),
    // @ts-expect-error an object with a method
    () => NestedJob.of(null as never, null as never, null as never, { run() {} }, null as never),
    // @ts-expect-error a class
    () => NestedJob.of(null as never, null as never, null as never, null as never, Nominal),
    // @ts-expect-error not a job
    () => app.enqueue(new Date()),
    // @ts-expect-error the class instead of a job
    () => app.enqueue(PlainJob),
    // @ts-expect-error not a job
    () => app.enqueue({}),
    // @ts-expect-error not jobs
    () => app.enqueueAll([{}, [], /x/]),
    // @ts-expect-error classes instead of jobs
    () => app.enqueueAll([PlainJob]),
  ];
}

Deno.test("app.enqueue(), enqueueAll() and performAllLater() refuse anything but a job, and say what is needed", async () => {
  class EchoJob extends Job {
    perform() {}
  }
  const topics = [activeJobTopic("default")];
  await using app = new App({ name: "shop", broker: "memory:", jobs: [EchoJob], topics, logger: false });
  const cases: [unknown, string][] = [
    [new Date(), 'a job, made by of(…) of its class, but it is given an instance of "Date"'],
    [EchoJob, 'a job, made by EchoJob.of(…), but it is given the class "EchoJob"'],
    [new EchoJob(), 'a job, made by EchoJob.of(…), but it is given an instance of "EchoJob"'],
    [{}, "a job, made by of(…) of its class, but it is given an object"],
    [[], "a job, made by of(…) of its class, but it is given an array"],
    [null, "a job, made by of(…) of its class, but it is given null"],
    [undefined, "a job, made by of(…) of its class, but it is given undefined"],
    ["EchoJob", 'a job, made by of(…) of its class, but it is given "EchoJob"'],
  ];
  for (const [value, message] of cases) {
    await assertRejects(() => app.enqueue(value as Job), InvalidConfigurationError, `app.enqueue() needs ${message}`);
    const list = [EchoJob.of(), value as Job];
    await assertRejects(() => app.enqueueAll(list), InvalidConfigurationError, `app.enqueueAll() needs ${message}`);
    await assertRejects(() => performAllLater(list), InvalidConfigurationError, `performAllLater() needs ${message}`);
    assertEquals(list[0]!.status, "new");
  }
  for (const value of [undefined, null, 5, "jobs", {}, EchoJob.of()]) {
    for (
      const [name, enqueueAll] of [["app.enqueueAll", app.enqueueAll.bind(app)], [
        "performAllLater",
        performAllLater,
      ]] as const
    ) {
      const message = `${name}() needs an array of jobs, but it is given`;
      await assertRejects(() => enqueueAll(value as never), InvalidConfigurationError, message);
    }
  }
});
