/**
 * Declarations of job classes beside their statics: callbacks and error handlers. Each class keeps its own; the plan of a class
 * has those of its whole prototype chain, in the order in which they apply. A plan is compiled once, at its first use.
 *
 * The declarations are under a registered symbol on the class: a class may extend one of another copy of this library.
 */
import type { JobState } from "./job_state.ts";

/** An error class, also an abstract one. */
// deno-lint-ignore no-explicit-any
export type ErrorClass<E = any> = abstract new (...args: any[]) => E;

/** The places of a callback around an action. */
export type CallbackKind = "before" | "around" | "after";

/** A declared callback. Only one around an action gets the function that goes on with it. */
export interface Callback {
  readonly kind: CallbackKind;
  readonly fn: (job: JobState, proceed: () => Promise<unknown>) => unknown;
}

/** A declared error handler: the errors that it handles, and what follows. */
export type ErrorHandler = { readonly errors: readonly ErrorClass[] } & (RetryHandler | DiscardHandler | RescueHandler);

/** Runs the job again, a limited number of times. */
export interface RetryHandler {
  readonly kind: "retry";
  /** The key of its counter in the envelope: Rails' own form, such as `"[TimeoutError, RangeError]"`. */
  readonly counter: string;
  /** The number of runs, the first one included. */
  readonly maxRuns: number;
  /** Returns the wait before the next run, in milliseconds. */
  readonly waitMs: (runs: number, error: unknown) => number;
  readonly queue: string | undefined;
  readonly priority: number | null | undefined;
  /** Whether the record itself is run again, rather than a new one. */
  readonly inPlace: boolean;
  /** Called once no run is left. Without it the error goes on to the worker's policy. */
  readonly exhausted: ErrorBlock | undefined;
}

/** Ends the job. */
export interface DiscardHandler {
  readonly kind: "discard";
  readonly block: ErrorBlock | undefined;
}

/** Ends the job after a function of the user. */
export interface RescueHandler {
  readonly kind: "rescue";
  readonly block: ErrorBlock;
}

/** A function that gets the job and its error. */
export type ErrorBlock = (job: JobState, error: unknown) => unknown;

/** The declarations of one class. */
interface Declarations {
  readonly enqueue: Callback[];
  readonly perform: Callback[];
  readonly errorHandlers: ErrorHandler[];
  readonly afterDiscard: ErrorBlock[];
}

/** The declarations that apply to the jobs of a class. */
export interface JobPlan {
  /** Callbacks around the enqueuing, the outermost first. */
  readonly enqueue: readonly Callback[];
  /** Callbacks around `perform`, the outermost first. */
  readonly perform: readonly Callback[];
  /** Error handlers, in the order in which they are asked. */
  readonly errorHandlers: readonly ErrorHandler[];
  /** Functions that are called when a job is given up. */
  readonly afterDiscard: readonly ErrorBlock[];
}

const OWN: unique symbol = Symbol.for("@activejob/kafka.declarations") as never;

type DeclaringClass = abstract new () => object;

/** The plan of a class that declares nothing: most classes share it. */
export const NO_PLAN: JobPlan = Object.freeze({ enqueue: [], perform: [], errorHandlers: [], afterDiscard: [] });

let plans = new WeakMap<DeclaringClass, JobPlan>();

/** Adds a declaration to a class. */
export function declare<Part extends keyof Declarations>(
  Class: DeclaringClass,
  part: Part,
  declaration: Declarations[Part][number],
): void {
  const holder = Class as { [OWN]?: Declarations };
  if (!Object.hasOwn(holder, OWN)) {
    Object.defineProperty(holder, OWN, { value: { enqueue: [], perform: [], errorHandlers: [], afterDiscard: [] } });
  }
  (holder[OWN]![part] as typeof declaration[]).push(declaration);
  // The class, or one that extends it, may have a plan already.
  plans = new WeakMap();
}

/** Returns the plan of a class. */
export function planOf(Class: DeclaringClass): JobPlan {
  let plan = plans.get(Class);
  if (plan === undefined) plans.set(Class, plan = compile(Class));
  return plan;
}

function compile(Class: DeclaringClass): JobPlan {
  const chain: Declarations[] = [];
  for (let at: unknown = Class; typeof at === "function"; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, OWN)) chain.push((at as unknown as { [OWN]: Declarations })[OWN]);
  }
  if (chain.length === 0) return NO_PLAN;
  const fromBase = chain.toReversed();
  return {
    enqueue: fromBase.flatMap(({ enqueue }) => enqueue),
    perform: fromBase.flatMap(({ perform }) => perform),
    errorHandlers: chain.flatMap(({ errorHandlers }) => errorHandlers.toReversed()),
    afterDiscard: fromBase.flatMap(({ afterDiscard }) => afterDiscard),
  };
}
