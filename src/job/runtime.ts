/**
 * Which App a job class belongs to, without knowing what an App is: the port through which a class enqueues, and the one
 * place that answers where a `performLater` goes.
 *
 * The order: the scope that encloses the call (`app.run(fn)`, a worker's own runs), a test's App, the one App that lists
 * the class. An App binds itself when it is made and unbinds when it is closed.
 */
import { InvalidConfigurationError } from "../errors.ts";
import { jobNameOf, type Named } from "./class_name.ts";
import { runtimeScope } from "./scope.ts";
import { processGlobal } from "./shared.ts";

/** A class, as far as finding its App goes. */
type Class = (abstract new () => object) & Named;

/** What a job class needs of its App. */
export interface JobRuntime {
  /** The App's name, for messages. */
  readonly name: string;
  /** The classes that it lists. */
  readonly jobs: ReadonlySet<Class>;
  /** Whether it is over. */
  readonly isClosed: boolean;
  /** Where in the user's code a test's runtime was made, if that is known. */
  readonly madeAt?: string | null;
  // `any` stands for a job: this module cannot import the class, which imports it.
  /** Enqueues a job and returns it; rejects if that failed. */
  // deno-lint-ignore no-explicit-any
  enqueue(job: any): Promise<any>;
  /** Enqueues jobs; the outcome of each is on the job. */
  // deno-lint-ignore no-explicit-any
  enqueueAll(jobs: readonly any[]): Promise<void>;
}

const scope = runtimeScope<JobRuntime>();
const bound = processGlobal("runtimes", () => new Set<JobRuntime>());
// Not of the scope: the handlers of a server run outside of every scope.
const testRuntimes = processGlobal("test runtimes", () => [] as JobRuntime[]);
/** The name of the App that was closed last of those which listed a class. */
const closed = processGlobal("closed runtimes", () => new WeakMap<Class, string>());

/** Makes a runtime findable from its classes. @returns a function that ends that */
export function bindRuntime(runtime: JobRuntime): () => void {
  bound.add(runtime);
  return () => {
    bound.delete(runtime);
    for (const Class of runtime.jobs) closed.set(Class, runtime.name);
  };
}

/**
 * Puts a test's runtime before all others for its classes.
 *
 * @returns a function that takes it away again
 * @throws {InvalidConfigurationError} if another test's runtime lists one of its classes
 */
export function bindTestRuntime(runtime: JobRuntime): () => void {
  for (const other of testRuntimes) {
    for (const Class of runtime.jobs) {
      if (other.jobs.has(Class)) {
        throw new InvalidConfigurationError(
          `Cannot put a test App over "${Class.name}": another one is already${
            other.madeAt == null ? "" : `, made at ${other.madeAt}`
          }; dispose of it first (await using)`,
        );
      }
    }
  }
  testRuntimes.push(runtime);
  return () => {
    const at = testRuntimes.indexOf(runtime);
    if (at >= 0) testRuntimes.splice(at, 1);
  };
}

/** Runs a function within a runtime's scope: jobs enqueued inside go to it. */
export function runInScope<T>(runtime: JobRuntime, fn: () => T): T {
  return scope.run(runtime, fn);
}

/**
 * The runtime that a class's jobs go to.
 *
 * @throws {InvalidConfigurationError} if there is none, or more than one; the message says what to do
 */
export function runtimeOf(Class: Class): JobRuntime {
  const enclosing = scope.get();
  // In Deno the scope of an `import()` in a job stays behind when the job, and even its App, is long over.
  if (enclosing?.jobs.has(Class) && !enclosing.isClosed) return enclosing;
  for (const runtime of testRuntimes) {
    if (runtime.jobs.has(Class)) return runtime;
  }
  const listing: JobRuntime[] = [];
  for (const runtime of bound) {
    if (runtime.jobs.has(Class)) listing.push(runtime);
  }
  if (listing.length === 1) return listing[0]!;
  throw new InvalidConfigurationError(`Cannot enqueue "${Class.name}": ${explainNotOne(Class, listing)}`);
}

function explainNotOne(Class: Class, listing: readonly JobRuntime[]): string {
  if (listing.length > 0) {
    const names = listing.map((runtime) => `"${runtime.name}"`).join(", ");
    return `${listing.length} Apps list it (${names}); say which with app.run(() => …) or app.enqueue(${Class.name}.of(…))`;
  }
  const jobName = jobNameOf(Class);
  for (const { name, jobs } of [...testRuntimes, ...bound]) {
    for (const other of jobs) {
      if (jobNameOf(other) === jobName) {
        return `the App "${name}" lists another class of this name; if it was loaded twice, import it by one specifier`;
      }
    }
  }
  const gone = closed.get(Class);
  if (gone !== undefined) return `the App "${gone}", which listed it, is closed`;
  return 'no App lists it; add it to the "jobs" of an App, and import that App\'s module first';
}
