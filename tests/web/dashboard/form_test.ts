/** The form of a POST: its limits of size and time, and a client that goes away. */
import { assertEquals, assertRejects } from "@std/assert";
import { readForm } from "../../../src/web/dashboard/form.ts";
import { PageError } from "../../../src/web/dashboard/page.ts";

/** Returns a POST whose body comes in pieces; `null` is a body that does not go on, an error one that fails. */
function postOf(pieces: readonly (string | null | Error)[], cancelled: () => void = () => {}): Request {
  const rest = [...pieces];
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = rest.shift();
      if (piece === null) await new Promise(() => {});
      if (piece instanceof Error) throw piece;
      if (piece === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(piece!));
    },
    cancel: cancelled,
  }, { highWaterMark: 0 });
  const headers = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
  return new Request("http://jobs.test/", { method: "POST", headers, body });
}

async function statusOf(request: Request, limitMs?: number): Promise<number> {
  return (await assertRejects(() => readForm(request, limitMs), PageError)).status;
}

Deno.test("a form that comes in pieces is read as a whole, and one without a body is empty", async () => {
  const form = await readForm(postOf(["why=it+is", "+slow&partition", "=3"]));
  assertEquals([...form], [["why", "it is slow"], ["partition", "3"]]);
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  assertEquals([...await readForm(new Request("http://jobs.test/", { method: "POST", headers }))], []);
});

Deno.test("a form that is too long is refused at the piece that is too much, and the rest is not read", async () => {
  let cancelled = 0;
  const pieces = Array.from({ length: 1000 }, () => "x".repeat(64 * 1024));
  assertEquals([await statusOf(postOf(pieces, () => void cancelled++)), cancelled], [413, 1]);
});

Deno.test("a form that does not end is refused after the time limit, and given up", async () => {
  let cancelled = 0;
  assertEquals([await statusOf(postOf(["why=", null], () => void cancelled++), 10), cancelled], [408, 1]);
});

Deno.test("a form whose client goes away is a bad request, not an error of the page", async () => {
  assertEquals(await statusOf(postOf(["why=", new TypeError("reset by peer")])), 400);
});
