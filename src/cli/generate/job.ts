/**
 * `generate job`: plans the files of a new job. It reads the project through a function and returns a plan, so that nothing
 * is written before everything is checked.
 */
import { show, topicName } from "../../support/validation.ts";
import { CommandError, UsageError } from "../command.ts";
import { addToJobList, JOB_LIST } from "./job_list.ts";
import { formatPathToRoot, type JobName, parseJobName } from "./job_name.ts";
import type { Plan, PlannedFile, Read } from "./plan.ts";
import {
  formatApplicationJob,
  formatEmptyJobList,
  formatJobFile,
  formatJobTest,
  PACKAGE,
  type ParentClass,
} from "./templates.ts";

/** The module of a project that exports the App. */
export const APP_FILE = "app.ts";

/** The default parent of a job. */
const APPLICATION_JOB = parseJobName("application");
/** Its file. */
const APPLICATION_JOB_FILE = `jobs/${APPLICATION_JOB.path}.ts`;

/** The library's own class. */
const LIBRARY_JOB: ParentClass = { className: "Job", localName: "Job", specifier: PACKAGE, performs: false };

/** The settings of a new job. */
export interface JobSettings {
  /** Its queue. @default its parent's */
  readonly queue?: string | undefined;
  /** The class that it extends, by any spelling of its name. @default "ApplicationJob" */
  readonly parent?: string | undefined;
}

/**
 * Plans a job.
 *
 * @param name its name, by any spelling
 * @throws {UsageError} if the name or the queue is not valid
 * @throws {CommandError} if the project does not have an App or the parent, or its list of jobs cannot be parsed
 */
export function planJob(name: string, { queue, parent = APPLICATION_JOB.jobName }: JobSettings, read: Read): Plan {
  const job = parseJobName(name);
  if (queue !== undefined) checkTopicName(queue, queue);
  if (job.path === APPLICATION_JOB.path) {
    throw new UsageError('"ApplicationJob" is the parent of the project\'s jobs: give the job another name');
  }
  const app = read(APP_FILE);
  if (app === null) {
    throw new CommandError(
      `There is no "${APP_FILE}" here: go to the project's folder, or create a project with "init"`,
    );
  }
  const prefix = /\bqueuePrefix: "([^"]*)"/.exec(app)?.[1];
  if (queue !== undefined && prefix !== undefined) checkTopicName(queue, `${prefix}_${queue}`);
  if (queue !== undefined && app.includes(`topic: "${queue}"`)) {
    throw new CommandError(`Cannot use the queue "${queue}": ${APP_FILE} has it as a dead letter topic`);
  }
  const parentName = parent === "Job" ? null : parseJobName(parent);
  const extended = parentName === null ? LIBRARY_JOB : resolveParent(job, parentName, read);
  return {
    files: [
      ...(parentName?.path === APPLICATION_JOB.path ? planApplicationJob(read) : []),
      { path: `jobs/${job.path}.ts`, text: formatJobFile(job, extended, queue) },
      { path: `jobs/${job.path}_test.ts`, text: formatJobTest(job, queue) },
      planJobList(job, read),
    ],
    notes: listNotes(app, queue),
  };
}

/** @param topic the name of the queue's topic, with the prefix of the App */
function checkTopicName(queue: string, topic: string): void {
  const wanted = topicName(topic);
  if (wanted === null) return;
  const full = topic === queue ? "" : `, and its topic would be ${show(topic)}`;
  throw new UsageError(`Option "--queue" must be ${wanted}, but it is ${show(queue)}${full}`);
}

/** Plans the parent of all jobs, if the project does not have it. */
export function planApplicationJob(read: Read): PlannedFile[] {
  return read(APPLICATION_JOB_FILE) === null ? [{ path: APPLICATION_JOB_FILE, text: formatApplicationJob() }] : [];
}

/** Plans the list of jobs with this job in it. */
export function planJobList(job: JobName, read: Read): PlannedFile {
  return { path: JOB_LIST, text: addToJobList(read(JOB_LIST) ?? formatEmptyJobList(), job), inserted: true };
}

function resolveParent(job: JobName, parent: JobName, read: Read): ParentClass {
  if (parent.path === job.path) throw new UsageError(`"${job.jobName}" cannot be its own parent`);
  const file = `jobs/${parent.path}.ts`;
  const isApplicationJob = file === APPLICATION_JOB_FILE;
  const text = read(file);
  if (text === null && !isApplicationJob) {
    throw new CommandError(`Cannot extend "${parent.jobName}": there is no "${file}", generate it first`);
  }
  if (text !== null && !new RegExp(`\\bclass\\s+${parent.className}\\b`).test(text)) {
    throw new CommandError(`Cannot extend "${parent.jobName}": "${file}" has no class "${parent.className}"`);
  }
  const upwards = formatPathToRoot(job).replace("../", "");
  return {
    className: parent.className,
    // A job may have the same name as its parent in another folder.
    localName: parent.className === job.className ? parent.localName : parent.className,
    specifier: `${upwards === "" ? "./" : upwards}${parent.path}.ts`,
    performs: !isApplicationJob,
  };
}

/** Lists what an App must do that was not created by `init`. */
function listNotes(app: string, queue: string | undefined): string[] {
  const notes: string[] = [];
  if (!app.includes(JOB_LIST)) notes.push(`${APP_FILE} does not import ${JOB_LIST}: add the new job to its jobs`);
  const declared = queue === undefined || /\.queue\b|\{ queue \}/.test(app) || app.includes(`"${queue}"`);
  if (!declared) {
    notes.push(`${APP_FILE} does not name the queue "${queue}": add activeJobTopic("${queue}") to its topics`);
  }
  return notes;
}
