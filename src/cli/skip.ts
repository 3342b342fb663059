/** `skip`: moves the App's group past one record, also while workers run. */
import { formatPosition, parsePosition, type Position } from "../support/position.ts";
import { show } from "../support/validation.ts";
import { APP_FLAG, type Arguments, type Command, UsageError } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { runOnApp, TIMEOUT_FLAG } from "./run_on_app.ts";

/** `skip`. */
export const skip: Command = {
  name: "skip",
  words: "topic/partition@offset",
  summary: "Pass over one record, so that its partition goes on",
  details: [
    "For a partition that is stuck at a record which fails for good, where no dead letter topic is declared.",
    "It works while workers run. The record stays in its topic; its job is not performed.",
  ],
  flags: [
    APP_FLAG,
    { name: "force", help: "pass over the records before it as well, if the group has not reached it" },
    TIMEOUT_FLAG,
  ],
  examples: ["skip --app app.ts default/0@41"],
  async run(args: Arguments): Promise<number> {
    const position = readPosition(args.words);
    const force = args.isSet("force");
    const topic = await runOnApp(args, () => ({ outcome: "the record may have been passed over" }), async (app) => {
      await app.skip(position, { force });
      return app.topicName(position.topic);
    });
    console.log(`Passed over ${formatPosition({ ...position, topic })}`);
    return EXIT.ok;
  },
};

function readPosition(words: readonly string[]): Position {
  const position = words.length === 1 ? parsePosition(words[0]!) : null;
  if (position !== null) return position;
  const given = words.length === 0 ? "none is given" : `it is given ${words.map(show).join(" ")}`;
  throw new UsageError(`"skip" needs one record, such as default/0@41, but ${given}`);
}
