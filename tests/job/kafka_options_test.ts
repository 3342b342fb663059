/** Options are inherited along the prototype chain. */
import { Job, type KafkaOptions, kafkaOptionsOf } from "@activejob/kafka";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvalidConfigurationError } from "../../src/errors.ts";
import { kafkaOption } from "../../src/job/kafka_options.ts";

function chain() {
  class A extends Job {
    static override kafkaOptions: KafkaOptions = {
      dispatchMethod: "produceSync",
      dispatchManyMethod: "produceManySync",
    };
    perform() {}
  }
  class B extends A {
    static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceAsync" };
  }
  class C extends B {
    static override kafkaOptions: KafkaOptions = { dispatchManyMethod: "produceManyAsync" };
  }
  class D extends C {}
  return { A, B, C, D };
}

Deno.test("kafkaOptionsOf() merges down the chain, the nearest class wins, and children change no parent", () => {
  const { A, B, C, D } = chain();
  assertEquals([C, B, A, D].map((Class) => ({ ...kafkaOptionsOf(Class) })), [
    { dispatchMethod: "produceAsync", dispatchManyMethod: "produceManyAsync" },
    { dispatchMethod: "produceAsync", dispatchManyMethod: "produceManySync" },
    { dispatchMethod: "produceSync", dispatchManyMethod: "produceManySync" },
    { dispatchMethod: "produceAsync", dispatchManyMethod: "produceManyAsync" },
  ]);
  assertEquals(
    kafkaOptionsOf(
      class extends Job {
        perform() {}
      },
    ),
    {},
  );
});

Deno.test("kafkaOptionsOf() shows a parent's later change where a child does not override", () => {
  const { A, B, C } = chain();
  kafkaOptionsOf(C);
  A.kafkaOptions = { dispatchMethod: "produceSync", dispatchManyMethod: "produceManyAsync", key: () => "k" };
  assertEquals(kafkaOptionsOf(B).dispatchMethod, "produceAsync");
  assertEquals(kafkaOptionsOf(B).dispatchManyMethod, "produceManyAsync");
  assert(kafkaOption(C, "key") === A.kafkaOptions.key);
});

Deno.test("kafkaOptionsOf() returns a frozen copy, and treats undefined as kafkaOption() does", () => {
  const { A, B } = chain();
  assert(Object.isFrozen(kafkaOptionsOf(A)));
  B.kafkaOptions = { dispatchMethod: undefined } as unknown as KafkaOptions;
  assertEquals(kafkaOption(B, "dispatchMethod"), "produceSync");
  assertEquals(kafkaOptionsOf(B).dispatchMethod, "produceSync");
});

Deno.test("kafkaOptionsOf() refuses an option with its class, key, value and the allowed values", () => {
  const cases: [unknown, string][] = [
    [
      { dispatchMethod: "produce" },
      'Option "dispatchMethod" of B.kafkaOptions must be one of "produceAsync", "produceSync", but it is "produce"',
    ],
    [
      { dispatchManyMethod: "produceSync" },
      'must be one of "produceManyAsync", "produceManySync", but it is "produceSync"',
    ],
    [{ key: "id" }, 'Option "key" of B.kafkaOptions must be a function of the job, but it is "id"'],
    [{ keys: () => "" }, 'Unknown option "keys" of B.kafkaOptions; did you mean "key"?'],
    [null, "The options of B.kafkaOptions must be an object, but they are null"],
    [5, "The options of B.kafkaOptions must be an object, but they are 5"],
    [[], "The options of B.kafkaOptions must be an object, but they are an array"],
  ];
  for (const [options, message] of cases) {
    const { B, D } = chain();
    B.kafkaOptions = options as KafkaOptions;
    assertThrows(() => kafkaOptionsOf(D), InvalidConfigurationError, message);
  }
});
