/** `skip`: moves the App's group past one record, also while workers live. */
import { show } from "../support/validation.ts";
import { APP_FLAG, type Arguments, type Command, UsageError } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { TIMEOUT_FLAG, withApp } from "./short_command.ts";
import { formatPosition, type Position } from "../support/position.ts";

/** `skip`. */
export const skip: Command = {
  name: "skip",
  words: "topic/partition@offset",
  summary: "Pass over one record, so that its partition goes on",
  details: [
    "For a partition that stands still at a record which fails for good, where no dead letter topic is declared.",
    "It works beside live workers. The record stays in its topic; its job is not performed.",
  ],
  flags: [
    APP_FLAG,
    { name: "force", help: "pass over what stands before it as well, where the group has not come to it" },
    TIMEOUT_FLAG,
  ],
  examples: ["skip --app app.ts default/0@41"],
  async run(given: Arguments): Promise<number> {
    const position = readPosition(given.words);
    const force = given.isSet("force");
    await withApp(
      given,
      () => ({ what: "the record may have been passed over" }),
      (app) => app.skip(position, { force }),
    );
    console.log(`Passed over ${formatPosition(position)}`);
    return EXIT.ok;
  },
};

function readPosition(words: readonly string[]): Position {
  const [, topic, partition, offset] = words.length === 1 ? /^(.+)\/(\d{1,9})@(\d{1,16})$/.exec(words[0]!) ?? [] : [];
  if (topic === undefined || !Number.isSafeInteger(Number(offset))) {
    throw new UsageError(
      `"skip" needs one record, such as default/0@41, but ${
        words.length === 0 ? "none is given" : `it is given ${words.map(show).join(" ")}`
      }`,
    );
  }
  return { topic, partition: Number(partition), offset: Number(offset) };
}
