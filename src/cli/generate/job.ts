/**
 * `generate job`: the files of a new job. It reads the project through a function and answers a plan, so that nothing is
 * written before everything is known to be right.
 */
import { show, topicName } from "../../support/validation.ts";
import { CommandError, UsageError } from "../command.ts";
import { JOB_LIST, listJob } from "./job_list.ts";
import { type JobName, readJobName, wayUp } from "./job_name.ts";
import type { Plan, PlannedFile, Read } from "./plan.ts";
import { applicationJobFile, emptyJobList, jobFile, jobTestFile, PACKAGE, type Parent } from "./templates.ts";

/** The module that every project has: it exports the App. */
export const APP = "app.ts";

/** The parent of all jobs that name no other. */
const APPLICATION_JOB = readJobName("application");
/** Its file. */
export const APPLICATION_JOB_FILE = `jobs/${APPLICATION_JOB.path}.ts`;

/** The library's own class. */
const JOB: Parent = { className: "Job", localName: "Job", specifier: PACKAGE, performs: false };

/** How the job is to be. */
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
 * @throws {UsageError} for a name or a queue that cannot be
 * @throws {CommandError} if the project cannot take it: no App, no such parent, a list that cannot be understood
 */
export function planJob(name: string, { queue, parent = APPLICATION_JOB.jobName }: JobSettings, read: Read): Plan {
  const job = readJobName(name);
  const wanted = queue === undefined ? null : topicName(queue);
  if (wanted !== null) throw new UsageError(`Option "--queue" must be ${wanted}, but it is ${show(queue)}`);
  if (job.path === APPLICATION_JOB.path) {
    throw new UsageError('"ApplicationJob" is the parent of the project\'s jobs: give the job another name');
  }
  const app = read(APP);
  if (app === null) {
    throw new CommandError(`There is no "${APP}" here: go to the project's folder, or make a project with "init"`);
  }
  if (queue !== undefined && app.includes(`topic: "${queue}"`)) {
    throw new CommandError(`Cannot use the queue "${queue}": ${APP} has it as a dead letter topic`);
  }
  const parentName = parent === "Job" ? null : readJobName(parent);
  const extended = parentName === null ? JOB : parentOf(job, parentName, read);
  return {
    files: [
      ...(parentName?.path === APPLICATION_JOB.path ? applicationJob(read) : []),
      { path: `jobs/${job.path}.ts`, text: jobFile(job, extended, queue) },
      { path: `jobs/${job.path}_test.ts`, text: jobTestFile(job, queue) },
      jobList(job, read),
    ],
    notes: notesOn(app, queue),
  };
}

/** The parent of all jobs, if it is not there yet. */
export function applicationJob(read: Read): PlannedFile[] {
  return read(APPLICATION_JOB_FILE) === null ? [{ path: APPLICATION_JOB_FILE, text: applicationJobFile() }] : [];
}

/** The list with the job in it. */
export function jobList(job: JobName, read: Read): PlannedFile {
  return { path: JOB_LIST, text: listJob(read(JOB_LIST) ?? emptyJobList(), job), inserted: true };
}

function parentOf(job: JobName, parent: JobName, read: Read): Parent {
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
  const way = wayUp(job).replace("../", "");
  return {
    className: parent.className,
    // A job may be called as its parent in another folder is.
    localName: parent.className === job.className ? parent.localName : parent.className,
    specifier: `${way === "" ? "./" : way}${parent.path}.ts`,
    performs: !isApplicationJob,
  };
}

/** What an App that `init` made does by itself, and another one may not. */
function notesOn(app: string, queue: string | undefined): string[] {
  const notes: string[] = [];
  if (!app.includes(JOB_LIST)) notes.push(`${APP} does not import ${JOB_LIST}: its jobs must list the new one`);
  const declared = queue === undefined || /\.queue\b/.test(app) || app.includes(`"${queue}"`);
  if (!declared) notes.push(`${APP} does not name the queue "${queue}": its topics need activeJobTopic("${queue}")`);
  return notes;
}
