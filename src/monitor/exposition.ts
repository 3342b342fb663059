/**
 * Prometheus' text format, version 0.0.4: families of metrics, each with its help, its type and its samples. One exposition
 * is built for each scrape.
 *
 * Names follow Prometheus' conventions: counters end in `_total`, times are seconds, and each family is written once.
 */
import type { Histogram } from "./histogram.ts";

/** The content type of a response in this format. */
export const EXPOSITION_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** The labels of a sample by name. Values may be any string. */
export type Labels = Readonly<Record<string, string | number>>;

/** Builds the text of a scrape. */
export class Exposition {
  #text = "";

  /** The text of all families that were added. */
  get text(): string {
    return this.#text;
  }

  /** Adds a family of counters: numbers that only grow. */
  counters(name: `${string}_total`, help: string, samples: Iterable<readonly [Labels, number]>): void {
    this.#family("counter", name, help, samples);
  }

  /** Adds a family of gauges: numbers that may also fall. */
  gauges(name: string, help: string, samples: Iterable<readonly [Labels, number]>): void {
    this.#family("gauge", name, help, samples);
  }

  /** Adds a family of histograms, all with the same bounds. */
  histograms(name: string, help: string, samples: Iterable<readonly [Labels, Histogram]>): void {
    let lines = "";
    for (const [labels, { bounds, counts, sum }] of samples) {
      let count = 0;
      for (const [bucket, own] of counts.entries()) {
        count += own;
        lines += formatSample(`${name}_bucket`, { ...labels, le: formatNumber(bounds[bucket] ?? Infinity) }, count);
      }
      lines += formatSample(`${name}_sum`, labels, sum) + formatSample(`${name}_count`, labels, count);
    }
    this.#add("histogram", name, help, lines);
  }

  #family(type: string, name: string, help: string, samples: Iterable<readonly [Labels, number]>): void {
    let lines = "";
    for (const [labels, value] of samples) lines += formatSample(name, labels, value);
    this.#add(type, name, help, lines);
  }

  /** A family without samples is left out. */
  #add(type: string, name: string, help: string, lines: string): void {
    if (lines === "") return;
    this.#text += `# HELP ${name} ${help.replace(/[\\\n]/g, escapeCharacter)}\n# TYPE ${name} ${type}\n${lines}`;
  }
}

function formatSample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) =>
    `${label}="${String(text).replace(/[\\\n"]/g, escapeCharacter)}"`
  );
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${formatNumber(value)}\n`;
}

function escapeCharacter(character: string): string {
  return character === "\n" ? "\\n" : `\\${character}`;
}

/** Formats a number as Prometheus reads it. */
function formatNumber(value: number): string {
  return value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value);
}
