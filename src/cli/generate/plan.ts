/** The plan of a generator: files that are not written yet, and the decision about each of them. */

/** A file that a generator wants. */
export interface PlannedFile {
  /** The path relative to the project's folder, with `/`. */
  readonly path: string;
  /** The whole text. */
  readonly text: string;
  /** Whether the text is the existing file with insertions, so that nothing of it is lost. @default false */
  readonly inserted?: boolean;
}

/** The result of a generator. */
export interface Plan {
  /** The files in the order of writing. A file that imports others comes after them. */
  readonly files: readonly PlannedFile[];
  /** Notes for the user. */
  readonly notes: readonly string[];
}

/** Reads a file of the project. Returns its text with `\n` as line breaks; `null` if it does not exist. */
export type Read = (path: string) => string | null;

/** The action on a file. */
export type FileAction = "create" | "identical" | "insert" | "conflict" | "force" | "skip";

/** The action on files that exist and differ. */
export type ConflictPolicy = "conflict" | "force" | "skip";

/** A planned file with its action. */
export interface Decision extends PlannedFile {
  readonly action: FileAction;
  /** The text of the existing file; `null` if there is none. */
  readonly before: string | null;
}

/**
 * Decides about every file before the first one is written.
 *
 * @param policy the action on files that exist and differ
 */
export function decidePlan(plan: Plan, read: Read, policy: ConflictPolicy): Decision[] {
  return plan.files.map((file) => {
    const before = read(file.path);
    return { ...file, before, action: chooseAction(file, before, policy) };
  });
}

function chooseAction({ text, inserted }: PlannedFile, before: string | null, policy: ConflictPolicy): FileAction {
  if (before === null) return "create";
  if (before === text) return "identical";
  if (inserted === true) return "insert";
  return policy;
}

/** Whether a decision changes the disk. */
export function isWritten({ action }: Decision): boolean {
  return action === "create" || action === "insert" || action === "force";
}

/** Lists the lines that an existing file does not have, in order. */
export function listNewLines({ before, text }: Decision): string[] {
  const old = before?.split("\n") ?? [];
  let at = 0;
  return text.replace(/\n$/, "").split("\n").filter((line) => {
    const found = old.indexOf(line, at);
    if (found >= 0) at = found + 1;
    return found < 0;
  });
}
