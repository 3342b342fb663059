/** The peers of the bench. */
import { assertEquals } from "@std/assert";
import { Peers } from "../../bench/peers.ts";

Deno.test("a peer whose server has no address is not at hand, and is not loaded", async () => {
  for (const name of ["REDIS_URL", "POSTGRES_URL"]) Deno.env.delete(name);
  const peers = new Peers();
  const states = await peers.all();
  assertEquals(states.map(({ name, missing }) => [name, missing]), [
    ["BullMQ", "REDIS_URL is not set"],
    ["graphile-worker", "POSTGRES_URL is not set"],
    ["pg-boss", "POSTGRES_URL is not set"],
  ]);
  assertEquals(await peers.servers(), []);
});
