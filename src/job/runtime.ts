/**
 * Finds the App of a job class. This module does not know Apps: it knows the interface through which a class enqueues.
 *
 * The first of these that lists the class is used: the App of the enclosing scope (`app.run(fn)`, a worker around its
 * jobs), the App of a test, the only App that is bound. An App binds itself when it is made, and unbinds itself when it
 * is closed.
 */
import { InvalidConfigurationError } from "../errors.ts";
import { jobNameOf, type Named } from "./class_name.ts";
import { runtimeScope } from "./scope.ts";
import { processGlobal } from "./shared.ts";

/** A job class, as this module needs it. */
type Class = (abstract new () => object) & Named;

/** An App, as a job class needs it. */
export interface JobRuntime {
  /** The App's name, for messages. */
  readonly name: string;
  /** Its job classes. */
  readonly jobs: ReadonlySet<Class>;
  /** Whether it was closed. */
  readonly isClosed: boolean;
  /** The part of its codec that says whether the arguments of its jobs are encrypted. */
  readonly codec: { readonly isEncrypting: boolean };
  /** Line of the user's code that made the runtime of a test, if it is known. */
  readonly madeAt?: string | null;
  // `any` is a job: this module cannot import the class, which imports it.
  /** Enqueues a job and returns it; rejects if that failed. */
  // deno-lint-ignore no-explicit-any
  enqueue(job: any): Promise<any>;
  /** Enqueues a job, whatever its class says, until it is acknowledged; rejects if that failed. */
  // deno-lint-ignore no-explicit-any
  enqueueAcknowledged(job: any): Promise<any>;
  /** Returns the time of its clock, in milliseconds since 1970. */
  nowMs(): number;
  /** Enqueues jobs; the outcome of each is on the job. */
  // deno-lint-ignore no-explicit-any
  enqueueAll(jobs: readonly any[]): Promise<void>;
}

const scope = runtimeScope<JobRuntime>();
const bound = processGlobal("runtimes", () => new Set<JobRuntime>());
// Not a part of the scope: the handlers of a server run outside of every scope.
const testRuntimes = processGlobal("test runtimes", () => [] as JobRuntime[]);
/** For each class the name of its App that was closed last. */
const closed = processGlobal("closed runtimes", () => new WeakMap<Class, string>());

/**
 * Binds a runtime to its classes.
 *
 * @returns a function that unbinds it
 */
export function bindRuntime(runtime: JobRuntime): () => void {
  bound.add(runtime);
  return () => {
    bound.delete(runtime);
    for (const Class of runtime.jobs) closed.set(Class, runtime.name);
  };
}

/**
 * Binds the runtime of a test to its classes, before all other runtimes.
 *
 * @returns a function that unbinds it
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

/** Runs a function in the scope of a runtime: jobs that it enqueues go to this runtime. */
export function runInScope<T>(runtime: JobRuntime, fn: () => T): T {
  return scope.run(runtime, fn);
}

/** Returns the time for a class: by the clock of the runtime to which its jobs go; that of the system if there is none. */
export function nowMsFor(Class: Class): number {
  const runtime = innermostOf(Class) ?? boundTo(Class)[0];
  return runtime?.nowMs() ?? Date.now();
}

/** Returns whether the arguments of a class's jobs are secret: the enclosing App encrypts, or one that lists the class. */
export function isSecretFor(Class: Class): boolean {
  return [scope.get(), innermostOf(Class), ...boundTo(Class)].some((runtime) => runtime?.codec.isEncrypting === true);
}

/** Returns the bound runtimes that list a class. */
function boundTo(Class: Class): JobRuntime[] {
  const listing: JobRuntime[] = [];
  for (const runtime of bound) {
    if (runtime.jobs.has(Class)) listing.push(runtime);
  }
  return listing;
}

/** Returns the enclosing runtime that lists the class, else that of a test. */
function innermostOf(Class: Class): JobRuntime | undefined {
  const enclosing = scope.get();
  // In Deno the scope of an `import()` in a job stays active after the job, and even its App, has ended.
  if (enclosing?.jobs.has(Class) && !enclosing.isClosed) return enclosing;
  return testRuntimes.find((runtime) => runtime.jobs.has(Class));
}

/**
 * Returns the runtime to which the jobs of a class go.
 *
 * @throws {InvalidConfigurationError} if there is none, or more than one; the message says what to do
 */
export function runtimeOf(Class: Class): JobRuntime {
  const innermost = innermostOf(Class);
  if (innermost !== undefined) return innermost;
  const listing = boundTo(Class);
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
