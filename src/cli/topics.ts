/** `topics apply`: creates the topics that the App declares, and adds partitions. It removes and changes nothing. */
import type { App } from "../app/app.ts";
import { describeError } from "../errors.ts";
import { show } from "../support/validation.ts";
import { readAction } from "./actions.ts";
import { APP_FLAG, type Arguments, type Command, UsageError } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { runOnApp, TIMEOUT_FLAG } from "./run_on_app.ts";
import { printLine } from "./print_error.ts";

/** At most this many groups of a topic are named. */
const MAX_NAMED = 5;

const WORDS = { created: "created", partitions_added: "partitions added", unchanged: "unchanged" } as const;

/** `topics`. */
export const topics: Command = {
  name: "topics",
  words: "apply",
  summary: "Create the topics that the App declares, and add partitions",
  details: [
    "Prints one line per topic. A setting that differs from the declared one is printed and left as it is. A topic that",
    "the group of another project uses as well is printed as a warning.",
  ],
  flags: [APP_FLAG, TIMEOUT_FLAG],
  actions: new Map([["apply", []]]),
  examples: ["topics apply --app app.ts"],
  async run(args: Arguments): Promise<number> {
    const [, word] = readAction(topics, args);
    if (word !== undefined) throw new UsageError(`"topics apply" takes no words, but it is given ${show(word)}`);
    await runOnApp(args, () => ({ outcome: "some topics may have been created" }), async (app) => {
      for (const { topic, action, differences } of await app.applyTopics()) {
        console.log([`${topic}: ${WORDS[action]}`, ...differences].join("; "));
      }
      await warnOfOtherGroups(app);
    });
    return EXIT.ok;
  },
};

/** Two projects that share a topic take each other's jobs. */
async function warnOfOtherGroups(app: App): Promise<void> {
  let found: ReadonlyMap<string, readonly string[]>;
  try {
    found = await app.findOtherGroups();
  } catch (error) {
    printLine(`note: cannot list the consumer groups of other projects: ${describeError(error).message}`);
    return;
  }
  for (const [topic, groups] of found) {
    const names = groups.slice(0, MAX_NAMED).map(show).join(", ") + (groups.length > MAX_NAMED ? ", …" : "");
    printLine(
      `warning: topic "${topic}" has committed offsets of ${
        groups.length === 1 ? "group" : "groups"
      } ${names}, and this ` +
        `App's group is another: two projects that share a topic take each other's jobs; set a "queuePrefix" of its own`,
    );
  }
}
