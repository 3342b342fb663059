/** Current attributes live in a scope and nowhere else. */
import { currentAttributes } from "@activejob/kafka";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { InvalidConfigurationError } from "../../src/errors.ts";
import { captureAttributes, isCurrentAttributes, runWithAttributes } from "../../src/job/current_attributes.ts";

class Current extends currentAttributes<{ userId: number; tenant: string }>("userId", "tenant") {}
class Tracing extends currentAttributes<{ trace: string }>("trace") {}

const all = () => [Current.userId, Current.tenant, Tracing.trace];
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("attributes are undefined outside of a scope, and cannot be set there", () => {
  assertEquals(all(), [undefined, undefined, undefined]);
  const set = () => {
    Current.userId = 1;
  };
  assertThrows(set, InvalidConfigurationError, "Cannot set Current.userId outside of a scope: use Current.run(");
  assertEquals(Current.userId, undefined);
});

Deno.test("run() nests: inner scopes see the outer's values, and change nothing outside", () => {
  const seen = Current.run({ userId: 1, tenant: "a" }, () => {
    const inner = Current.run({ tenant: "b" }, () => {
      Current.userId = 2;
      Tracing.trace = "t";
      return all();
    });
    return [inner, all(), Tracing.run({ trace: "u" }, all), all()];
  });
  assertEquals(seen, [[2, "b", "t"], [1, "a", undefined], [1, "a", "u"], [1, "a", undefined]]);
  assertEquals(all(), [undefined, undefined, undefined]);
});

Deno.test("run({}) opens a scope of its own: it sees the values outside, and its changes end with it", () => {
  Current.run({ userId: 1 }, () => {
    const inner = Current.run({}, () => {
      const before = all();
      Current.userId = 2;
      Current.tenant = "b";
      return [before, all()];
    });
    assertEquals(inner, [[1, undefined, undefined], [2, "b", undefined]]);
    assertEquals(all(), [1, undefined, undefined]);
  });
  assertEquals(Current.run({}, () => [Current.userId = 3, Current.userId]), [3, 3]);
  assertEquals(all(), [undefined, undefined, undefined]);
});

Deno.test("run() returns the result of the function, and leaves nothing behind when it throws", async () => {
  assertEquals(Current.run({}, () => 5), 5);
  assertThrows(
    () =>
      Current.run({ userId: 1 }, () => {
        throw new Error("no");
      }),
    Error,
    "no",
  );
  await assertRejects(
    () =>
      Current.run({ userId: 1 }, async () => {
        await turn();
        throw new Error("later");
      }),
    Error,
    "later",
  );
  assertEquals(Current.userId, undefined);
});

Deno.test("interleaved requests never see each other's values", async () => {
  const request = (userId: number | undefined) =>
    Current.run(userId === undefined ? {} : { userId }, async () => {
      const seen: (number | undefined)[] = [];
      for (let step = 0; step < 5; step++) {
        seen.push(Current.userId);
        if (userId !== undefined) Current.userId = userId + step;
        await turn();
      }
      return seen;
    });
  const seen = await Promise.all([request(10), request(undefined), request(20)]);
  assertEquals(seen, [[10, 10, 11, 12, 13], Array(5).fill(undefined), [20, 20, 21, 22, 23]]);
});

Deno.test("a real server's requests share nothing, though they come through one connection", async () => {
  const server = Deno.serve({ port: 0, onListen() {} }, (request) => {
    const before = `${Current.userId}`;
    const userId = new URL(request.url).searchParams.get("u");
    if (userId === null) return new Response(before);
    return Current.run({ userId: Number(userId) }, async () => {
      await turn();
      return new Response(`${before} ${Current.userId}`);
    });
  });
  const bodies: string[] = [];
  for (const query of ["?u=7", "", "?u=8", ""]) {
    bodies.push(await (await fetch(`http://127.0.0.1:${server.addr.port}/${query}`)).text());
  }
  assertEquals(bodies, ["undefined 7", "undefined", "undefined 8", "undefined"]);
  await server.shutdown();
});

Deno.test("run() accepts declared names only, and declarations refuse names that each class has", () => {
  const undeclared = { admin: true } as unknown as { userId: number };
  assertThrows(
    () => Current.run(undeclared, () => {}),
    InvalidConfigurationError,
    'Cannot set "admin": Current does not declare it',
  );
  const own = JSON.parse('{"__proto__": {"admin": true}}');
  assertThrows(() => Current.run(own, () => {}), InvalidConfigurationError, 'Cannot set "__proto__"');
  for (const name of ["run", "name", "prototype", "__proto__", "constructor", "length", ""]) {
    assertThrows(() => currentAttributes(name as never), InvalidConfigurationError, "cannot be the name");
  }
});

Deno.test("attributes with the names of members of every object are undefined until they are set", () => {
  const names = ["toString", "valueOf", "hasOwnProperty"];
  class Odd extends currentAttributes<{ odd: unknown }>(...names as never[]) {}
  const read = () => names.map((name): unknown => Reflect.get(Odd, name));
  assertEquals(Odd.run({}, read), [undefined, undefined, undefined]);
  assertEquals(runWithAttributes([Odd], { Odd: { valueOf: 1 } }, read), [undefined, 1, undefined]);
  assertEquals(Odd.run({ toString: "x" } as never, (): unknown[] => [...read(), captureAttributes([Odd])]), [
    ...["x", undefined, undefined],
    { Odd: { toString: "x" } },
  ]);
});

Deno.test("captureAttributes() returns the values of the given classes, by class name", () => {
  assertEquals(captureAttributes([Current, Tracing]), undefined);
  Current.run({ userId: 1 }, () => {
    Tracing.trace = "t";
    assertEquals(captureAttributes([Current, Tracing]), { Current: { userId: 1 }, Tracing: { trace: "t" } });
    assertEquals(captureAttributes([Tracing]), { Tracing: { trace: "t" } });
    Current.userId = undefined;
    assertEquals(captureAttributes([Current]), undefined);
  });
});

Deno.test("runWithAttributes() sets declared names only, and hides the enclosing scope", () => {
  const onWire = JSON.parse(
    '{"Current":{"userId":5,"admin":true,"run":1,"__proto__":{"tenant":"forged"}},"Other":{"x":1},"__proto__":{"Tracing":{"trace":"forged"}}}',
  );
  const seen = Current.run({ userId: 1, tenant: "around" }, () => runWithAttributes([Current, Tracing], onWire, all));
  assertEquals(seen, [5, undefined, undefined]);
  for (const forged of [undefined, null, 5, "x", [], { Current: null }, { Current: "x" }, { Current: [1] }]) {
    assertEquals(runWithAttributes([Current, Tracing], forged, all), [undefined, undefined, undefined]);
  }
});

Deno.test("two classes of one declaration share its values; classes of two declarations do not", () => {
  class Again extends Current {}
  class Same extends currentAttributes<{ userId: number }>("userId") {}
  Current.run({ userId: 1 }, () => assertEquals([Again.userId, Same.userId], [1, undefined]));
  assertEquals([isCurrentAttributes(Again), isCurrentAttributes(class {}), isCurrentAttributes({})], [
    true,
    false,
    false,
  ]);
});
