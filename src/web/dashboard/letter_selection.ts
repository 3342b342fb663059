/**
 * The dead letters that a form selects: some positions (`at`, repeated), or all that match a filter (`all=1`). A selection by
 * filter that was confirmed names its oldest and newest letters (`from` and `upTo`, one a partition): letters that arrive between
 * the confirmation and the click are not part of it, nor older ones that are read once newer ones are handled.
 */
import type { App } from "../../app/app.ts";
import type { DeadLetter } from "../../dead_letters/letter.ts";
import { formatPartition, formatPosition, parsePosition, type Position } from "../../support/position.ts";
import { readLetterFilter } from "./letter_filter.ts";
import { matcherOf } from "./letter_groups.ts";
import { PageError } from "./page.ts";
import { readRecentLetters, showLetter } from "./recent_letters.ts";

/** Positions of one form, at most. */
const MAX_POSITIONS = 1000;

/** Selected dead letters. */
export interface SelectedLetters {
  /** The letters; those of a position that has none are left out. */
  readonly letters: readonly DeadLetter[];
  /** The number of positions that have no dead letter. */
  readonly missing: number;
}

/**
 * Reads the dead letters that a query or a form selects.
 *
 * @throws {PageError} if it selects nothing, or too much
 * @throws the reason of the signal
 */
export async function readSelection(
  app: App,
  fields: URLSearchParams,
  signal: AbortSignal,
): Promise<SelectedLetters> {
  if (fields.get("all") === "1") return { letters: await readMatching(app, fields), missing: 0 };
  const positions = readPositions(fields.getAll("at"));
  if (positions.length === 0) throw new PageError(400, "No dead letter is selected: tick at least one");
  if (positions.length > MAX_POSITIONS) {
    throw new PageError(400, `Select at most ${MAX_POSITIONS} dead letters, or a group`);
  }
  // A box is ticked in a list with or without the letters that were handled: one of the two has it.
  const byPosition = new Map<string, DeadLetter>();
  for (const withHandled of [false, true]) {
    if (positions.every((position) => byPosition.has(formatPosition(position)))) break;
    const { letters } = await readRecentLetters(app, { withHandled });
    for (const letter of letters) byPosition.set(formatPosition(letter), letter);
  }
  const found: DeadLetter[] = [];
  // One after the other: each older one costs a reading of all markers, and any site can make a browser send such a query.
  for (const position of positions) {
    signal.throwIfAborted();
    const letter = byPosition.get(formatPosition(position)) ?? await readOlder(app, position);
    if (letter !== null) found.push(letter);
  }
  return { letters: found, missing: positions.length - found.length };
}

/** Returns the oldest and the newest letter of each partition, as the fields `from` and `upTo` of a form. */
export function boundsOf(letters: readonly DeadLetter[]): (readonly [name: string, position: string])[] {
  return Array.from(Map.groupBy(letters, formatPartition).values()).flatMap((some) => {
    const sorted = some.toSorted((a, b) => a.offset - b.offset);
    return [["from", formatPosition(sorted[0]!)], ["upTo", formatPosition(sorted.at(-1)!)]] as const;
  });
}

async function readMatching(app: App, fields: URLSearchParams): Promise<DeadLetter[]> {
  const filter = readLetterFilter(fields);
  const { letters } = await readRecentLetters(app, { withHandled: filter.withHandled ?? false });
  const matches = matcherOf(filter);
  const [starts, ends] = [readBounds(fields, "from"), readBounds(fields, "upTo")];
  return letters.filter((letter) => {
    const partition = formatPartition(letter);
    return matches(letter) && (starts === null || letter.offset >= (starts.get(partition) ?? Infinity)) &&
      (ends === null || letter.offset <= (ends.get(partition) ?? -1));
  });
}

/** A letter beyond the newest ones, without its arguments, which may hold secrets; `null` if there is none. */
async function readOlder(app: App, position: Position): Promise<DeadLetter | null> {
  try {
    const { group: _, key: _key, headers: _headers, envelope: _envelope, value: _value, ...letter } = await showLetter(
      app,
      position,
    );
    return letter;
  } catch (error) {
    if (error instanceof PageError) return null;
    throw error;
  }
}

function readBounds(fields: URLSearchParams, name: string): ReadonlyMap<string, number> | null {
  const positions = readPositions(fields.getAll(name));
  return positions.length === 0 ? null : new Map(positions.map((each) => [formatPartition(each), each.offset]));
}

function readPositions(texts: readonly string[]): Position[] {
  return [...new Set(texts)].map((text) => {
    const position = parsePosition(text);
    if (position === null) throw new PageError(400, "A position of the form cannot be read");
    return position;
  });
}
