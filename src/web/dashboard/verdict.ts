/** The verdict of the first page: one sentence, and what is wrong, worst first, each with what an operator can do. Pure. */
import type { AppStatus, TopicState, TopicStatus } from "../../status/status.ts";
import { compareStates } from "../../status/topic_state.ts";
import { listWrong } from "../../status/topic_state.ts";
import type { FailingRecord } from "./fleet.ts";
import { countOf, formatCount } from "./format.ts";

/** A topic that needs a look. */
export interface Problem {
  /** The queue. */
  readonly queue: string;
  /** The full name of its topic. */
  readonly topic: string;
  /** Its state. */
  readonly state: TopicState;
  /** The state in words. */
  readonly reason: string;
  /** The time since when the oldest record waits, in ms since 1970; `null` if it is not known. */
  readonly sinceMs: number | null;
  /** The record that fails; `null` if no worker reports one. */
  readonly failing: FailingRecord | null;
  /** The first record that waits for an operator; `null` for none. */
  readonly stuckAt: { readonly partition: number; readonly offset: number } | null;
}

/** Listed topics, at most. */
export const MAX_PROBLEMS = 12;

/** Returns the sentence of the verdict. */
export function verdictOf(status: AppStatus): string {
  const { topics } = status;
  const of = topics.length;
  const wrong = listWrong(status);
  const paused = topics.filter(({ state }) => state === "paused");
  if (wrong.length === 1) return `Topic ${wrong[0]!.queue}: ${wrong[0]!.state}`;
  if (wrong.length > 1) {
    return `${formatCount(wrong.length)} of ${countOf(of, "topic")} need attention: ${countStates(wrong)}`;
  }
  const rest = paused.length === 0 ? "" : `, ${formatCount(paused.length)} paused`;
  if (of === 0) return "No topics are declared";
  return of === 1 ? `The topic is ${paused.length === 0 ? "OK" : "paused"}` : `${allOf(of, paused.length)} OK${rest}`;
}

/** Lists the topics that are not OK, worst first. */
export function listProblems({ atMs, topics }: AppStatus, failing: readonly FailingRecord[]): Problem[] {
  return topics.filter(({ state }) => state !== "ok").toSorted(compareStates).slice(0, MAX_PROBLEMS).map(
    ({ queue, topic, state, reason, oldestWaitingMs, partitions, pausedBy }) => {
      const stuck = partitions.find((partition) => partition.stuck.length > 0);
      return {
        queue,
        topic,
        state,
        reason,
        sinceMs: state === "paused" && pausedBy !== null
          ? pausedBy.atMs
          : oldestWaitingMs === null
          ? null
          : atMs - oldestWaitingMs,
        failing: failing.find((record) => record.topic === topic) ?? null,
        stuckAt: stuck === undefined ? null : { partition: stuck.partition, offset: stuck.stuck[0]! },
      };
    },
  );
}

/**
 * Splits the words of a state from the command in them, which a page shows apart; `null` if there is none. Only `stuck` has a
 * command: in another state such words are those of an operator, as the reason of a pause.
 */
export function splitCommand(
  { state, reason }: Pick<TopicStatus, "state" | "reason">,
): { readonly words: string; readonly command: string | null } {
  const [, words, command] = (state === "stuck" ? /^(.*); to skip it: (.+)$/s.exec(reason) : null) ?? [];
  return words === undefined ? { words: reason, command: null } : { words, command: command! };
}

/** Returns what an operator can do about a state, in one sentence; `null` for nothing. */
export function adviceOf(state: TopicState): string | null {
  return ADVICE[state] ?? null;
}

const ADVICE: Readonly<Partial<Record<TopicState, string>>> = {
  "stuck": "It is tried again by itself: deploy a correction, or skip the record.",
  "no worker": "Start a worker that reads this topic.",
  "stalled": "Look at the jobs that run, and restart a worker that hangs.",
  "unknown": "Look at the broker, and whether the topic exists: topics apply creates it.",
  "retrying": "It is tried again by itself. Deploy a correction if the error stays.",
  "behind": "Wait, or add workers, slots or partitions.",
  "paused": "Resume it when its cause is gone.",
};

function countStates(topics: readonly TopicStatus[]): string {
  const byState = Map.groupBy(topics.toSorted(compareStates), ({ state }) => state);
  return Array.from(byState, ([state, some]) => `${formatCount(some.length)} ${state}`).join(", ");
}

function allOf(topics: number, paused: number): string {
  return paused === 0
    ? `All ${countOf(topics, "topic")}`
    : `${formatCount(topics - paused)} of ${countOf(topics, "topic")}`;
}
