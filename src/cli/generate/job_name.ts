/**
 * The name of a job to be made. However it is spelled (`admin/refresh`, `Admin::RefreshJob`, `admin/refresh-job`), it means
 * one file, one class and one name on the wire, and the suffix is never doubled.
 */
import { show } from "../../support/validation.ts";
import { UsageError } from "../command.ts";

/** A job by all its names. */
export interface JobName {
  /** The file below `jobs/`, without its ending: `"admin/refresh_job"`. */
  readonly path: string;
  /** The class in that file: `"RefreshJob"`. */
  readonly className: string;
  /** The name on the wire: `"Admin::RefreshJob"`. Classes of one name in two folders differ by it. */
  readonly jobName: string;
  /** What the class is called beside all other jobs: `"AdminRefreshJob"`. */
  readonly localName: string;
}

/** One part of a name. Digits may stand anywhere but at the beginning. */
const PART = /^[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*$/;
/** The longest part of a name, and the longest name, in characters: what is made of them stays readable. */
const MAX_PART_LENGTH = 40;
const MAX_LENGTH = 100;

/**
 * Reads a name.
 *
 * @param text such as `"admin/refresh"`
 * @throws {UsageError} for what can be no name: empty, outside of `jobs/`, of other characters, or the suffix alone
 */
export function readJobName(text: string): JobName {
  const parts = text.split(/\/|::/);
  const wrong = parts.find((part) => !PART.test(part) || part.length > MAX_PART_LENGTH);
  if (wrong !== undefined || text.length > MAX_LENGTH) throw unreadable(text, wrong ?? text);
  const words = parts.map(wordsOf);
  const last = words.at(-1)!;
  while (last.at(-1) === "job") last.pop();
  if (last.length === 0) throw unreadable(text, parts.at(-1)!);
  last.push("job");
  const classes = words.map((part) => part.map(capitalized).join(""));
  return {
    path: words.map((part) => part.join("_")).join("/"),
    className: classes.at(-1)!,
    jobName: classes.join("::"),
    localName: classes.join(""),
  };
}

/** The way from the job's file up to the project's folder: `"../../"`. */
export function wayUp({ path }: JobName): string {
  return "../".repeat(path.split("/").length);
}

/** `"HTTPRefresh-job"` → `["http", "refresh", "job"]`. */
function wordsOf(part: string): string[] {
  return part
    .replace(/([A-Z\d]+)(?=[A-Z][a-z])|([a-z\d])(?=[A-Z])/g, "$&_")
    .toLowerCase()
    .split(/[_-]/);
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function unreadable(text: string, part: string): UsageError {
  return new UsageError(
    `A job's name must be words of letters and digits, such as "refresh", "admin/refresh" or "Admin::RefreshJob", ` +
      `but it is ${show(text)}${reason(text, part)}`,
  );
}

function reason(text: string, part: string): string {
  if (text === "") return "";
  if (text.length > MAX_LENGTH) return `: it has ${text.length} characters, ${MAX_LENGTH} are allowed`;
  if (part.length > MAX_PART_LENGTH) return `: ${show(part)} has more than ${MAX_PART_LENGTH} characters`;
  if (text.includes("\\")) return ': folders are separated by "/"';
  if (part === "..") return ": a job stays within jobs/";
  if (part === "") return ": a part of it is empty";
  if (/^\d/.test(part)) return `: ${show(part)} begins with a digit`;
  if (PART.test(part)) return ": there is nothing but the suffix";
  return part === text ? "" : `: ${show(part)} is none`;
}
