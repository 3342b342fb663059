/** The command line of the bench. */
import { assertEquals, assertThrows } from "@std/assert";
import { jobsOf, parseCommandLine } from "../../bench/options.ts";
import { UsageError } from "../../tasks/requirements.ts";

const parse = (...args: string[]) => parseCommandLine(args, ["kafka", "consume"]);

Deno.test("the long form is the default: five rounds of all partitions, payloads and concurrencies", () => {
  assertEquals(parse(), {
    isShort: false,
    names: [],
    size: {
      rounds: 5,
      quickRounds: 10,
      jobs: 1_000_000,
      topicBytes: 600_000_000,
      seconds: 10,
      partitions: [1, 4, 24, 64, 256],
      payloads: [300, 3000, 30_000, 300_000],
      concurrency: [1, 10, 100, 1000],
    },
    json: null,
    markdown: null,
  });
});

Deno.test("the short form has fewer rounds and jobs, and the same partitions, payloads and concurrencies", () => {
  const [long, short] = [parse(), parse("short", "consume")];
  assertEquals(parse("consume", "short"), short);
  assertEquals([short.isShort, short.names], [true, ["consume"]]);
  assertEquals(short.size, {
    ...long.size,
    rounds: 1,
    quickRounds: 5,
    jobs: 200_000,
    topicBytes: 60_000_000,
    seconds: 3,
  });
});

Deno.test("each part of the size is an option, in either form", () => {
  const args = ["--rounds=3", "--jobs", "500", "--seconds=0.5", "--partitions=1,2", "--payloads=0.3,1.5"];
  const { names, size, json, markdown } = parse(
    "kafka",
    ...args,
    "--concurrency=7",
    "--json=a.json",
    "--markdown=b.md",
  );
  assertEquals(names, ["kafka"]);
  assertEquals(size, {
    rounds: 3,
    quickRounds: 3,
    jobs: 500,
    topicBytes: 600_000_000,
    seconds: 0.5,
    partitions: [1, 2],
    payloads: [300, 1500],
    concurrency: [7],
  });
  assertEquals([json, markdown], ["a.json", "b.md"]);
});

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'No bench is called "consum"; did you mean "consume"? (declared: "kafka", "consume")': ["short", "consum"],
  '--jobs must be a whole number, but is "1.5"': ["--jobs=1.5"],
  '--rounds must be a positive number, but is "0"': ["--rounds=0"],
  '--partitions must be a positive number, but is ""': ["--partitions=1,"],
  '--payloads must be a positive number, but is "large"': ["--payloads=large"],
};

for (const [message, args] of Object.entries(REFUSED)) {
  Deno.test(`the command line "${args.join(" ")}" is refused: ${message}`, () => {
    assertEquals(assertThrows(() => parse(...args), UsageError).message, message);
  });
}

Deno.test("an unknown option is refused", () => {
  assertThrows(() => parse("--job=5"), UsageError, "Cannot read the command line");
});

Deno.test("jobsOf() limits the number of large jobs by their bytes", () => {
  const { size } = parse();
  assertEquals([300, 3000, 300_000, 1e9].map((bytes) => jobsOf(size, bytes)), [1_000_000, 200_000, 2000, 1]);
});
