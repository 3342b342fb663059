/** Outcomes of actions: carried by the browser of their user, shown once, and not made by a link. */
import { assert, assertEquals } from "@std/assert";
import { encodeBase64 } from "../../../src/support/base64.ts";
import { packOutcome, REMOVE_OUTCOME, unpackOutcome } from "../../../src/web/dashboard/outcomes.ts";

const DONE = { outcome: "done", target: "dead/0@1", message: "Requeued 1 dead letter of “Mailer”" } as const;
const SHOWN = { outcome: DONE.outcome, message: DONE.message };

/** Packs an outcome. @returns the id of the redirect, and the cookie that a browser sends */
function send(message: string = DONE.message) {
  const { id, setCookie } = packOutcome("ada", { ...DONE, message });
  return { id, cookie: setCookie.split(";")[0]! };
}

Deno.test("an outcome is unpacked for its user and its page", () => {
  const { id, cookie } = send();
  assertEquals(unpackOutcome(cookie, id, "ada"), SHOWN);
  assertEquals(unpackOutcome(`theme=dark; ${cookie}; a=b`, id, "ada"), SHOWN);
  assertEquals(unpackOutcome(`activejob_outcome=${btoa("[]")}; ${cookie}`, id, "ada"), SHOWN, "another one before it");
});

Deno.test("an outcome of another user, of another page or without its cookie is not unpacked", () => {
  const { id, cookie } = send();
  const other = send();
  for (
    const [cookies, page, user] of [
      [cookie, id, "ben"],
      [cookie, id, null],
      [cookie, other.id, "ada"],
      [cookie, null, "ada"],
      [cookie, "", "ada"],
      [null, id, "ada"],
      ["", id, "ada"],
      [other.cookie, id, "ada"],
      [cookie.replace("activejob_outcome", "outcome"), id, "ada"],
    ] as const
  ) assertEquals(unpackOutcome(cookies, page, user), null, `${cookies} ${page} ${user}`);
});

Deno.test("a cookie that no dashboard made is not unpacked", () => {
  const forge = (value: string) => `activejob_outcome=${value}`;
  const encode = (value: unknown) => forge(encodeBase64(new TextEncoder().encode(JSON.stringify(value))));
  for (
    const cookie of [
      "activejob_outcome",
      forge(""),
      forge("!"),
      forge("AAAA"),
      encode(null),
      encode({ 0: "x", 1: "ada", 2: "done", 3: "x" }),
      encode(["x", "ada"]),
      encode(["x", "ada", "well", "x"]),
      encode(["x", "ada", "constructor", "x"]),
      encode(["x", "ada", "done", 1]),
      encode([["x"], "ada", "done", "x"]),
    ]
  ) assertEquals(unpackOutcome(cookie, "x", "ada"), null, cookie);
  assertEquals(unpackOutcome(encode(["x", "ada", "failed", "x"]), "x", "ada"), { outcome: "failed", message: "x" });
});

Deno.test("the cookie is for a minute, for no script and no other site, and its removal has the same path", () => {
  const attributes = (setCookie: string) => setCookie.split("; ").slice(1);
  assertEquals(attributes(packOutcome("ada", DONE).setCookie), ["Max-Age=60", "Path=/", "HttpOnly", "SameSite=Strict"]);
  assertEquals(REMOVE_OUTCOME, "activejob_outcome=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict");
});

Deno.test("a cookie has at most 4,096 bytes, and its message 2,000 characters", () => {
  const short = send("x".repeat(2001));
  assertEquals(unpackOutcome(short.cookie, short.id, "ada")?.message, `${"x".repeat(2000)}…`);
  for (
    const message of ["x".repeat(1_000_000), "\u0000".repeat(1_000_000), "語".repeat(1_000_000), "\ud800".repeat(5000)]
  ) {
    const { setCookie, id } = packOutcome("u".repeat(255), { ...DONE, message });
    assert(setCookie.length <= 4096, `${setCookie.length}`);
    const found = unpackOutcome(setCookie.split(";")[0]!, id, "u".repeat(255));
    assert(found !== null && found.message.length >= 200 && found.message.endsWith("…"), `${found?.message.length}`);
  }
});
