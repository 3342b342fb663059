/** Secrets in the data of records: the names that hide a value, and the values that have names. */
import { assertEquals } from "@std/assert";
import { createRedactor, redactSecrets } from "../../../src/web/dashboard/redact.ts";

const SECRETS = `password PASSWORD passwords userPassword password_digest passwd pass userpass passphrase passcode pwd
  db_pwd apiKey API_KEY x-api-key apikey accessKey AWS_ACCESS_KEY_ID privateKey encryption_key authKey sshKey token
  accessToken csrf-token clientSecret secrets credentials Authorization Cookie set-cookie PIN userPin user_pin otp jwt
  bearer salt signature sessionId session_id sessionKey cardNumber card_no creditCard CVV2 cvc iban ssn`;
const PLAIN =
  "to plan user id key keys name shipping opinion passenger pinned session card keyboard monkey hotpot assault";

Deno.test("values are left out by their name, however it is written, and others stay", () => {
  const isHidden = (name: string) => redactSecrets(name, "hunter2") !== "hunter2";
  const names = SECRETS.split(/\s+/);
  assertEquals(names.filter((name) => !isHidden(name)), []);
  assertEquals(PLAIN.split(" ").filter(isHidden), []);
});

Deno.test("secrets are left out of objects, arrays and maps at any depth", () => {
  const redact = createRedactor(redactSecrets);
  const hidden = "[redacted]";
  assertEquals(redact([[{ a: [{ Password: "x", b: 1 }] }]]), [[{ a: [{ Password: hidden, b: 1 }] }]]);
  const map = (entries: unknown) => ({ _aj_serialized: "JavaScript::MapSerializer", entries });
  const symbol = { _aj_serialized: "ActiveJob::Serializers::SymbolSerializer", value: "api_key" };
  assertEquals(
    redact([map([["password", "x"], ["plan", "gold"], [symbol, ["x"]], ["deep", map([["token", 7]])], [1, 2]])]),
    [map([["password", hidden], ["plan", "gold"], [symbol, hidden], ["deep", map([["token", hidden]])], [1, 2]])],
  );
  // Not serialized: two positional arguments.
  assertEquals(redact({ arguments: [["password", "x"]] }), { arguments: [["password", "x"]] });
  assertEquals(redact({ _aj_serialized: "Own", values: [{ token: 1 }, ["a"]], tokens: [["a", "b"]] }), {
    _aj_serialized: "Own",
    values: [{ token: hidden }, ["a"]],
    tokens: hidden,
  });
});
