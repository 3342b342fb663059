/**
 * The exit codes of the command line, in one place: what a supervisor, a script or a deployment may rely on.
 */

/** How a command ended, as its process says it. */
export const EXIT = Object.freeze({
  /** It did what it was asked to do. A worker: it was stopped, and everything that ran has ended and is committed. */
  ok: 0,
  /** It could not be done: the App cannot be loaded or configured so, a topic is missing, the broker refuses. */
  failed: 1,
  /** A worker was stopped, but jobs still ran after `shutdownTimeoutMs`, or jobs could not be delivered. */
  unfinished: 2,
  /** `worker --once`: partitions stand still at a record that fails, and wait for an operator. */
  stuck: 3,
  /** The command line cannot be understood (`EX_USAGE` of sysexits.h). */
  usage: 64,
  /** Forced by a second SIGINT. */
  forcedInt: 130,
  /** Forced by a second SIGQUIT. */
  forcedQuit: 131,
  /** Forced by a second SIGTERM. */
  forcedTerm: 143,
});

/** The same for people. */
export const EXIT_CODE_LINES: readonly (readonly [code: string, meaning: string])[] = [
  ["0", "done; a worker: everything that ran has ended and is committed"],
  ["1", "failed: the App cannot be loaded, a topic is missing, the broker refuses …"],
  ["2", "a worker stopped, but jobs still ran after shutdownTimeoutMs, or were not delivered"],
  ["3", "worker --once: partitions stand still and wait for an operator"],
  ["64", "the command line cannot be understood"],
  ["130, 131, 143", "a worker was forced by a second INT, QUIT, TERM"],
];
