/**
 * What a generator answers: files, nothing written yet. And what becomes of each of them beside the files that are there.
 */

/** A file as it should be. */
export interface PlannedFile {
  /** Relative to the project's folder, with `/`. */
  readonly path: string;
  /** All of it. */
  readonly text: string;
  /** Whether it is a file that is there, with something inserted: nothing of it is lost. @default false */
  readonly inserted?: boolean;
}

/** What a generator wants to do. */
export interface Plan {
  /** The files, in the order in which they are written. What refers to others comes last. */
  readonly files: readonly PlannedFile[];
  /** What the user should know. */
  readonly notes: readonly string[];
}

/** Reads a file of the project: its text with `\n` as line breaks, `null` where there is none. */
export type Read = (path: string) => string | null;

/** What becomes of a file. */
export type Fate = "create" | "identical" | "insert" | "conflict" | "force" | "skip";

/** What becomes of files that are there and differ. */
export type Differing = "conflict" | "force" | "skip";

/** A planned file, and what becomes of it. */
export interface Decision extends PlannedFile {
  readonly fate: Fate;
  /** The text that is there, `null` where there is none. */
  readonly before: string | null;
}

/**
 * Decides about every file, before the first is written.
 *
 * @param differing what becomes of files that are there and differ
 */
export function decide(plan: Plan, read: Read, differing: Differing): Decision[] {
  return plan.files.map((file) => {
    const before = read(file.path);
    return { ...file, before, fate: fateOf(file, before, differing) };
  });
}

function fateOf({ text, inserted }: PlannedFile, before: string | null, differing: Differing): Fate {
  if (before === null) return "create";
  if (before === text) return "identical";
  if (inserted === true) return "insert";
  return differing;
}

/** Whether it changes what is on the disk. */
export function isWritten({ fate }: Decision): boolean {
  return fate === "create" || fate === "insert" || fate === "force";
}

/** The lines that a file does not have yet, in order. */
export function newLines({ before, text }: Decision): string[] {
  const old = before?.split("\n") ?? [];
  let at = 0;
  return text.replace(/\n$/, "").split("\n").filter((line) => {
    const found = old.indexOf(line, at);
    if (found >= 0) at = found + 1;
    return found < 0;
  });
}
