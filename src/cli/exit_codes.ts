/** The exit codes of the command line. Supervisors, scripts and deployments may rely on them. */

/** Exit codes by name. */
export const EXIT = Object.freeze({
  /** Done. A worker: it was stopped, and every job that ran has ended and is committed. */
  ok: 0,
  /**
   * Failed: the App cannot be loaded, its configuration is wrong, a topic is missing, the broker refuses. `status`: a topic is
   * neither ok nor paused.
   */
  failed: 1,
  /**
   * A worker stopped, but jobs still ran after `shutdownTimeoutMs`, or enqueued jobs were not delivered. `dlq`: a signal stopped
   * it before its end.
   */
  unfinished: 2,
  /** `worker --once`: a record that fails for good blocks a partition, which waits for an operator. */
  stuck: 3,
  /** The command line is wrong (`EX_USAGE` of sysexits.h). */
  usage: 64,
  /** Forced by a second SIGINT. */
  forcedInt: 130,
  /** Forced by a second SIGQUIT. */
  forcedQuit: 131,
  /** Forced by a second SIGTERM. */
  forcedTerm: 143,
});

/** The exit codes for the help. */
export const EXIT_CODE_LINES: readonly (readonly [code: string, meaning: string])[] = [
  ["0", "done; a worker: every job that ran has ended and is committed"],
  ["1", "failed: the App cannot be loaded, a topic is missing, the broker refuses …"],
  ["2", "a worker stopped, but jobs still ran after shutdownTimeoutMs, or were not delivered"],
  ["3", "worker --once: partitions are stuck at a record and wait for an operator"],
  ["64", "the command line is wrong"],
  ["130, 131, 143", "a second INT, QUIT or TERM ended a worker"],
];
