/**
 * A strict reader of Prometheus' text format, for tests: each mistake that a scraper could fail at is an error. Each
 * family has its help, its type and its samples together, and once; no series is repeated; counters end in `_total`;
 * histograms rise to their `+Inf`, which is their count.
 */

/** The values of a scrape, by series, such as `jobs_total{topic="a"}`. */
export type Scrape = ReadonlyMap<string, number>;

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([+-]?(?:Inf|\d+(?:\.\d+)?(?:e[+-]\d+)?))$/s;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\n"])*)"(,|$)/y;

interface Family {
  readonly name: string;
  readonly type: string;
}

/**
 * Reads an exposition.
 *
 * @throws {Error} at the first line that is wrong
 */
export function readScrape(text: string): Scrape {
  if (text !== "" && !text.endsWith("\n")) throw new Error("The last line does not end");
  const values = new Map<string, number>();
  const families = new Set<string>();
  let family: Family | null = null;
  let help: string | null = null;
  for (const line of text.split("\n").slice(0, -1)) {
    const [, comment, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/s.exec(line) ?? [];
    if (comment === "HELP") {
      if (families.has(name!) || !NAME.test(name!)) throw new Error(`A family is repeated, or has no name: ${line}`);
      if (!/^(?:[^\\]|\\[\\n])*$/.test(rest!)) throw new Error(`A wrong escape: ${line}`);
      families.add(help = name!);
    } else if (comment === "TYPE") {
      if (name !== help) throw new Error(`A type without its help: ${line}`);
      if (!/^(counter|gauge|histogram)$/.test(rest!)) throw new Error(`No type: ${line}`);
      if ((rest === "counter") !== name!.endsWith("_total")) throw new Error(`Not the name of a ${rest}: ${line}`);
      family = { name: name!, type: rest! };
    } else readSample(line, family, values);
  }
  checkHistograms(values);
  return values;
}

function readSample(line: string, family: Family | null, values: Map<string, number>): void {
  const [, name, labels = "", value] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw new Error(`No sample: ${line}`);
  const suffixes = family?.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  if (family === null || !suffixes.some((suffix) => name === family.name + suffix)) {
    throw new Error(`A sample outside of its family: ${line}`);
  }
  checkLabels(labels, line);
  const series = labels === "" ? name : `${name}{${labels}}`;
  if (values.has(series)) throw new Error(`A series is repeated: ${line}`);
  const number = Number(value!.replace("Inf", "Infinity"));
  if (family.type !== "gauge" && !(number >= 0)) throw new Error(`Less than nothing was counted: ${line}`);
  values.set(series, number);
}

function checkLabels(labels: string, line: string): void {
  const names = new Set<string>();
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < labels.length) {
    const found = LABEL.exec(labels);
    if (found === null || names.has(found[1]!)) throw new Error(`Wrong labels: ${line}`);
    names.add(found[1]!);
  }
}

function checkHistograms(values: Scrape): void {
  const last = new Map<string, { le: number; count: number }>();
  for (const [series, count] of values) {
    const [, name, labels, bound] = /^(.+)_bucket\{(.*?),?le="([^"]+)"\}$/.exec(series) ?? [];
    if (name === undefined) continue;
    const key = labels === "" ? name : `${name}|${labels}`;
    const le = Number(bound!.replace("Inf", "Infinity"));
    const before = last.get(key) ?? { le: -Infinity, count: 0 };
    if (le <= before.le || count < before.count) throw new Error(`A histogram that does not rise: ${series}`);
    last.set(key, { le, count });
  }
  for (const [key, { le, count }] of last) {
    const [name, labels] = key.split("|");
    const whole = (suffix: string) => values.get(labels === undefined ? name + suffix : `${name}${suffix}{${labels}}`);
    if (le !== Infinity || whole("_count") !== count || whole("_sum") === undefined) {
      throw new Error(`A histogram that is not whole: ${key}`);
    }
  }
}
