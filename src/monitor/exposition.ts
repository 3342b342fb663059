/**
 * Prometheus' text format, version 0.0.4: families of metrics, each with its help, its type and its samples. One text is
 * put together for each scrape.
 *
 * Names follow its customs: counters end in `_total`, times are seconds, and each family is written once.
 */
import type { Histogram } from "./histogram.ts";

/** What a response with such a text says of it. */
export const EXPOSITION_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** The labels of a sample by name. Values may be any text. */
export type Labels = Readonly<Record<string, string | number>>;

/** A text that grows. */
export class Exposition {
  #text = "";

  /** What was added so far. */
  get text(): string {
    return this.#text;
  }

  /** Adds numbers that only grow. */
  counters(name: `${string}_total`, help: string, samples: Iterable<readonly [Labels, number]>): void {
    this.#family("counter", name, help, samples);
  }

  /** Adds numbers that come and go. */
  gauges(name: string, help: string, samples: Iterable<readonly [Labels, number]>): void {
    this.#family("gauge", name, help, samples);
  }

  /** Adds histograms, all with the same bounds. */
  histograms(name: string, help: string, samples: Iterable<readonly [Labels, Histogram]>): void {
    let lines = "";
    for (const [labels, { bounds, counts, sum }] of samples) {
      let count = 0;
      for (const [at, own] of counts.entries()) {
        count += own;
        lines += sample(`${name}_bucket`, { ...labels, le: numeral(bounds[at] ?? Infinity) }, count);
      }
      lines += sample(`${name}_sum`, labels, sum) + sample(`${name}_count`, labels, count);
    }
    this.#add("histogram", name, help, lines);
  }

  #family(type: string, name: string, help: string, samples: Iterable<readonly [Labels, number]>): void {
    let lines = "";
    for (const [labels, value] of samples) lines += sample(name, labels, value);
    this.#add(type, name, help, lines);
  }

  /** A family of nothing is not mentioned. */
  #add(type: string, name: string, help: string, lines: string): void {
    if (lines === "") return;
    this.#text += `# HELP ${name} ${help.replace(/[\\\n]/g, escaped)}\n# TYPE ${name} ${type}\n${lines}`;
  }
}

function sample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) =>
    `${label}="${String(text).replace(/[\\\n"]/g, escaped)}"`
  );
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${numeral(value)}\n`;
}

function escaped(character: string): string {
  return character === "\n" ? "\\n" : `\\${character}`;
}

/** A number as Prometheus reads it. */
function numeral(value: number): string {
  return value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value);
}
