/** `topics apply`: makes the broker's topics what the App declares, without taking anything away. */
import { show } from "../support/validation.ts";
import { APP_FLAG, type Arguments, type Command, UsageError } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { TIMEOUT_FLAG, withApp } from "./short_command.ts";

const WORDS = { created: "created", partitions_added: "partitions added", unchanged: "unchanged" } as const;

/** `topics`. */
export const topics: Command = {
  name: "topics",
  words: "apply",
  summary: "Create the topics that the App declares, and add partitions",
  details: [
    "Prints one line a topic. A setting that the broker has otherwise than declared is printed and left as it is.",
  ],
  flags: [APP_FLAG, TIMEOUT_FLAG],
  examples: ["topics apply --app app.ts"],
  async run(given: Arguments): Promise<number> {
    const [action, ...rest] = given.words;
    if (action !== "apply" || rest.length > 0) {
      throw new UsageError(
        `"topics" can "apply", but ${
          given.words.length === 0 ? "it is not said what to do" : `it is asked to ${show(given.words.join(" "))}`
        }`,
      );
    }
    const changes = await withApp(
      given,
      () => ({ what: "some topics may have been created" }),
      (app) => app.applyTopics(),
    );
    for (const { topic, action, differences } of changes) {
      console.log([`${topic}: ${WORDS[action]}`, ...differences].join("; "));
    }
    return EXIT.ok;
  },
};
