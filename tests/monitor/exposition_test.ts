/** Prometheus' text format: the writer, and the strict reader of the other tests. */
import { assertEquals, assertThrows } from "@std/assert";
import { Exposition } from "../../src/monitor/exposition.ts";
import { Histogram } from "../../src/monitor/histogram.ts";
import { readScrape } from "../support/scrape.ts";

Deno.test("Exposition writes a family with its help, its type and its samples, and none where there are no samples", () => {
  const to = new Exposition();
  to.counters("jobs_total", "Jobs", [[{ topic: "a", partition: 0 }, 3], [{ topic: "b", partition: 1 }, 1e21]]);
  to.gauges("empty", "Nothing", []);
  to.gauges("lag", "Lag", [[{}, 0.5]]);
  assertEquals(
    to.text,
    `# HELP jobs_total Jobs
# TYPE jobs_total counter
jobs_total{topic="a",partition="0"} 3
jobs_total{topic="b",partition="1"} 1e+21
# HELP lag Lag
# TYPE lag gauge
lag 0.5
`,
  );
  assertEquals([...readScrape(to.text).values()], [3, 1e21, 0.5]);
});

Deno.test("Exposition escapes characters that would end a label or a help", () => {
  const to = new Exposition();
  to.gauges("g", 'a \\ and a\nbreak, a "quote"', [[{ text: 'a"} 1\nb\\ 7\u2028é' }, 1]]);
  assertEquals(
    to.text,
    '# HELP g a \\\\ and a\\nbreak, a "quote"\n# TYPE g gauge\ng{text="a\\"} 1\\nb\\\\ 7\u2028é"} 1\n',
  );
  assertEquals(readScrape(to.text).size, 1);
});

Deno.test("Exposition writes histograms cumulatively, up to +Inf", () => {
  const histogram = new Histogram([0.1, 1]);
  for (const value of [0.1, 0.05, 0.5, 7]) histogram.observe(value);
  const to = new Exposition();
  to.histograms("run_seconds", "How long", [[{ topic: "a" }, histogram], [{ topic: "b" }, new Histogram([0.1, 1])]]);
  assertEquals(
    to.text.split("\n").slice(2, 7).join("\n"),
    `run_seconds_bucket{topic="a",le="0.1"} 2
run_seconds_bucket{topic="a",le="1"} 3
run_seconds_bucket{topic="a",le="+Inf"} 4
run_seconds_sum{topic="a"} 7.65
run_seconds_count{topic="a"} 4`,
  );
  assertEquals(readScrape(to.text).size, 10);
});

const WRONG: Readonly<Record<string, string>> = {
  "The last line does not end": "# HELP a A\n# TYPE a gauge\na 1",
  "outside of its family": "a 1\n",
  "A type without its help": "# TYPE a gauge\na 1\n",
  "A family is repeated": "# HELP a A\n# TYPE a gauge\na 1\n# HELP a A\n",
  "A series is repeated": '# HELP a A\n# TYPE a gauge\na{b="c"} 1\na{b="c"} 2\n',
  "Wrong labels": '# HELP a A\n# TYPE a gauge\na{b="c"d"} 1\n',
  "No sample": "# HELP a A\n# TYPE a gauge\na one\n",
  "Not the name of a counter": "# HELP a A\n# TYPE a counter\na 1\n",
  "does not rise": '# HELP a A\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
  "is not whole": '# HELP a A\n# TYPE a histogram\na_bucket{le="1"} 2\na_sum 1\na_count 2\n',
};

for (const [message, text] of Object.entries(WRONG)) {
  Deno.test(`the reader of the tests refuses an invalid exposition: ${message}`, () => {
    assertThrows(() => readScrape(text), Error, message);
  });
}
