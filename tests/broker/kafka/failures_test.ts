/** What is read of an error decides whether it is worth trying again. */
import { assertEquals } from "@std/assert";
import { BrokerError } from "../../../src/errors.ts";
import { brokerError, isForbidden, NOT_ALLOWED } from "../../../src/broker/kafka/failures.ts";

Deno.test("isForbidden() is true of what the cluster refuses and of what the process may not, however deep it stands", () => {
  const named = (name: string) => Object.assign(new Error("Requires env access"), { name });
  const refused = Object.assign(new Error("Not authorized"), { type: "TOPIC_AUTHORIZATION_FAILED" });
  const denied = Object.assign(new Error("The process may not connect"), { code: NOT_ALLOWED });
  for (const error of [refused, denied, named("NotCapable"), named("KafkaJSSASLAuthenticationError")]) {
    assertEquals([isForbidden(error), isForbidden(brokerError("Cannot ask", error))], [true, true]);
  }
  assertEquals([isForbidden(new BrokerError("It is away")), isForbidden(undefined)], [false, false]);
});
