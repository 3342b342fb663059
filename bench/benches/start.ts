/** Bench of importing the library: a program that imports an entry point and does nothing with it. */
import type { Bench, Context } from "../bench.ts";
import { compare, type Figure, ratioAtMost } from "../figures.ts";
import { interleaved } from "../rounds.ts";

/** The start of a program. */
export const startBenches: readonly Bench[] = [{ name: "start", group: "local", run: start }];

/** Entry points, and how many times as long as an empty program a program that imports one may take. */
const BARS = { "mod.ts": 1.7, "src/testing/mod.ts": 2.2, "src/cli/mod.ts": 2.4 } as const;

/** A start takes a tenth of a second, and one alone says little. */
const STARTS_A_ROUND = 5;

async function start({ size }: Context): Promise<Figure[]> {
  const entries = Object.entries(BARS);
  const program = (entry: string) => ({ program: "import_entry", args: [entry, STARTS_A_ROUND] });
  const results = await interleaved<string>(size.rounds, {
    "": program(""),
    ...Object.fromEntries(entries.map(([entry]) => [entry, program(entry)])),
  });
  return entries.map(([entry, bar]) =>
    compare(
      { table: "Latency, idle, start", figure: `a program that imports \`${entry}\``, unit: "ms" },
      results[entry]!.ms!,
      { name: "an empty program", values: results[""]!.ms! },
      ratioAtMost(bar),
    )
  );
}
