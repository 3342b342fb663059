/**
 * The name of a new job. Each spelling (`admin/refresh`, `Admin::RefreshJob`, `admin/refresh-job`) gives the same file, class
 * and name on the wire, and the suffix is never doubled.
 */
import { show } from "../../support/validation.ts";
import { UsageError } from "../command.ts";

/** The names of one job. */
export interface JobName {
  /** The file below `jobs/`, without its ending: `"admin/refresh_job"`. */
  readonly path: string;
  /** The class in that file: `"RefreshJob"`. */
  readonly className: string;
  /** The name on the wire: `"Admin::RefreshJob"`. It differs for classes of one name in two folders. */
  readonly jobName: string;
  /** The name of the class in a module that imports all jobs: `"AdminRefreshJob"`. */
  readonly localName: string;
}

/** One part of a name. It must not begin with a digit. */
const PART = /^[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*$/;
/** The longest part of a name, and the longest name, in characters: longer files and classes are hard to read. */
const MAX_PART_LENGTH = 40;
const MAX_LENGTH = 100;

/**
 * Parses a name.
 *
 * @param text for example `"admin/refresh"`
 * @throws {UsageError} if it is not a name: empty, outside of `jobs/`, with other characters, or the suffix alone
 */
export function parseJobName(text: string): JobName {
  const parts = text.split(/\/|::/);
  const wrong = parts.find((part) => !PART.test(part) || part.length > MAX_PART_LENGTH);
  if (wrong !== undefined || text.length > MAX_LENGTH) throw createNameError(text, wrong ?? text);
  const words = parts.map(splitWords);
  const last = words.at(-1)!;
  while (last.at(-1) === "job") last.pop();
  if (last.length === 0) throw createNameError(text, parts.at(-1)!);
  last.push("job");
  const classes = words.map((part) => part.map(capitalize).join(""));
  return {
    path: words.map((part) => part.join("_")).join("/"),
    className: classes.at(-1)!,
    jobName: classes.join("::"),
    localName: classes.join(""),
  };
}

/** Formats the path from the job's file up to the project's folder: `"../../"`. */
export function formatPathToRoot({ path }: JobName): string {
  return "../".repeat(path.split("/").length);
}

/** `"HTTPRefresh-job"` → `["http", "refresh", "job"]`. */
function splitWords(part: string): string[] {
  return part
    .replace(/([A-Z\d]+)(?=[A-Z][a-z])|([a-z\d])(?=[A-Z])/g, "$&_")
    .toLowerCase()
    .split(/[_-]/);
}

function capitalize(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function createNameError(text: string, part: string): UsageError {
  return new UsageError(
    `A job's name must be words of letters and digits, such as "refresh", "admin/refresh" or "Admin::RefreshJob", ` +
      `but it is ${show(text)}${explainName(text, part)}`,
  );
}

function explainName(text: string, part: string): string {
  if (text === "") return "";
  if (text.length > MAX_LENGTH) return `: it has ${text.length} characters, ${MAX_LENGTH} are allowed`;
  if (part.length > MAX_PART_LENGTH) return `: ${show(part)} has more than ${MAX_PART_LENGTH} characters`;
  if (text.includes("\\")) return ': folders are separated by "/"';
  if (part === "..") return ": a job stays within jobs/";
  if (part === "") return ": a part of it is empty";
  if (/^\d/.test(part)) return `: ${show(part)} begins with a digit`;
  if (PART.test(part)) return ": it is the suffix alone";
  return part === text ? "" : `: ${show(part)} is not allowed`;
}
