/** `topics apply`: creates the topics that the App declares, and adds partitions. It removes and changes nothing. */
import { show } from "../support/validation.ts";
import { APP_FLAG, type Arguments, type Command, UsageError } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { runOnApp, TIMEOUT_FLAG } from "./run_on_app.ts";

const WORDS = { created: "created", partitions_added: "partitions added", unchanged: "unchanged" } as const;

/** `topics`. */
export const topics: Command = {
  name: "topics",
  words: "apply",
  summary: "Create the topics that the App declares, and add partitions",
  details: [
    "Prints one line per topic. A setting that differs from the declared one is printed and left as it is.",
  ],
  flags: [APP_FLAG, TIMEOUT_FLAG],
  examples: ["topics apply --app app.ts"],
  async run(args: Arguments): Promise<number> {
    const [action, ...rest] = args.words;
    if (action !== "apply" || rest.length > 0) {
      throw new UsageError(
        `"topics" needs the action "apply", but ${
          args.words.length === 0 ? "none is given" : `it is given ${show(args.words.join(" "))}`
        }`,
      );
    }
    const changes = await runOnApp(
      args,
      () => ({ outcome: "some topics may have been created" }),
      (app) => app.applyTopics(),
    );
    for (const { topic, action, differences } of changes) {
      console.log([`${topic}: ${WORDS[action]}`, ...differences].join("; "));
    }
    return EXIT.ok;
  },
};
