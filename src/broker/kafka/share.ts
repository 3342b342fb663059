/**
 * A consumer's share of its group's partitions, over rebalances:
 *
 *     joined ──▶ lost: what moved away ──▶ proof: what has the group committed? ──▶ lost: what somebody else had meanwhile
 *            ──▶ assigned, held ──▶ … ──▶ releasing, not held ──▶ joined
 *
 * Of an ownership that is not proved in the current generation nothing is handed over, committed or released. The proof is
 * asked for beside kafkajs, which has no event that says what was committed.
 */
import { BrokerError, describeError } from "../../errors.ts";
import type { Monitor } from "../../monitor/monitor.ts";
import type { ConsumeOptions, ConsumerSink, Mark, Ownership } from "../broker.ts";
import type { Claim } from "./assigner.ts";
import { waitUntilSettled } from "../../support/deadline.ts";
import type { ClusterClient, Committed } from "./cluster.ts";
import type { Commits } from "./commits.ts";
import { Intake } from "./intake.ts";
import type { Fetching } from "./member.ts";
import { KafkaOwnership } from "./ownership.ts";
import type { Session } from "./session.ts";
import type { LostReason } from "../../monitor/events.ts";
import type { TopicPartition } from "../../support/position.ts";

/** What a share works with: its consumer's parts. */
export interface ShareContext {
  readonly options: ConsumeOptions;
  readonly sink: ConsumerSink;
  readonly cluster: ClusterClient;
  readonly monitor: Monitor;
  readonly session: Session;
  readonly commits: Commits;
  readonly fetching: Fetching;
}

const PROOF_RETRY_MS = 200;
/** "The beginning of the log", among kafkajs' offsets. */
const EARLIEST = -2;
const BECAUSE: Readonly<Record<LostReason, string>> = {
  revoked: "it was assigned to another one",
  unknown: "another one may have had it meanwhile",
  recreated: "the topic was made anew",
  closed: "the consumer was closed",
};

/** See the module. */
export class Share {
  readonly #context: ShareContext;
  readonly #intakes = new Map<string, Intake>();
  readonly #assigned = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<void>();
  /** Counts generations: a proof that was asked for in an earlier one comes too late. */
  #epoch = 0;
  #sinceMs = 0;
  #memberId = "";
  /** Whether it has its share, proved or about to be: not while the group shares out anew. */
  #isSettled = false;
  #proof = Promise.withResolvers<void>();
  #isOver = false;
  #hasEnded = false;

  constructor(context: ShareContext) {
    this.#context = context;
    this.#assigned.promise.catch(() => {});
  }

  /** Resolves at the first assignment. */
  get assigned(): Promise<void> {
    return this.#assigned.promise;
  }

  /** Whether nothing will come any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Resolves at the next proof; at once if there is none to wait for. */
  get proved(): Promise<void> {
    return this.#proof.promise;
  }

  /** The partition as it comes in, if it is assigned. */
  intake(at: TopicPartition): Intake | null {
    return this.#intakes.get(keyOf(at)) ?? null;
  }

  /** The partition of an ownership that goes on. */
  find(ownership: Ownership): Intake | null {
    const intake = this.intake(ownership);
    return intake !== null && intake.ownership === ownership ? intake : null;
  }

  /** What may be done with a mark now. */
  check({ ownership, next }: Mark): "send" | "refused" | "ended" {
    const intake = this.find(ownership);
    if (intake === null || this.#isOver) return "ended";
    return intake.proved && next >= intake.ownership!.floor ? "send" : "refused";
  }

  /** What the member owns, for the group's leader. */
  claim(): Claim {
    const owned = [...this.#intakes.values()].filter(({ ownership }) => ownership !== null);
    return { owned, sinceMs: this.#sinceMs, exclusive: false };
  }

  /** Partitions are about to move: the last marks. */
  rebalancing(): void {
    if (this.#isOver) return;
    const { sink, commits, options } = this.#context;
    const proved = [...this.#intakes.values()].filter((intake) => intake.proved);
    if (proved.length > 0) {
      const marks = sink.releasing(proved.map(({ ownership }) => ownership!))
        .filter((mark) => this.check(mark) === "send");
      // Begun before this returns: what is sent later is refused, or lands in the next generation.
      if (marks.length > 0) void commits.commit(marks, options.sessionTimeoutMs);
    }
    this.#isSettled = false;
    this.#unprove();
  }

  /** The new share of the member with this id. */
  joined(partitions: readonly TopicPartition[], memberId: string): void {
    if (this.#isOver) return;
    this.#unprove();
    // Who comes as another member was out of the group: nothing can prove that nobody had its partitions meanwhile.
    if (memberId !== this.#memberId) this.#forget("unknown");
    this.#memberId = memberId;
    const { fetching, session, commits } = this.#context;
    commits.member = null;
    const wanted = new Set(partitions.map(keyOf));
    const gone = [...this.#intakes].filter(([key]) => !wanted.has(key));
    for (const [key] of gone) this.#intakes.delete(key);
    this.#end(gone.map(([, { ownership }]) => ownership), "revoked");
    for (const at of partitions) {
      const intake = this.intake(at) ?? new Intake(at);
      this.#intakes.set(keyOf(at), intake);
      // kafkajs begins again where the group has committed, and keeps the pauses of who had the partition before.
      if (intake.position !== null) fetching.seek(at, intake.position);
      intake.halted = intake.paused;
      if (intake.halted) fetching.pause(at);
      else fetching.resume(at);
    }
    session.confirmed();
    this.#isSettled = true;
    void this.#prove(this.#epoch);
  }

  /** Something failed as it does when a topic was deleted: nothing is handed over before a new proof. */
  interrupted(): void {
    if (this.#isOver || !this.#isSettled) return;
    this.#unprove();
    void this.#prove(this.#epoch);
  }

  /** The client has left the group and comes again as another member; what was owned is proved then, or lost. */
  restarting(): void {
    if (this.#isOver) return;
    this.#isSettled = false;
    this.#unprove();
    this.#context.commits.clear();
    this.#context.session.ended();
  }

  /** The topic was made anew: a new ownership begins at the start of its log. @returns the new one */
  restart(intake: Intake, from: number): KafkaOwnership {
    const fresh = new KafkaOwnership(intake.topic, intake.partition, null);
    const old = intake.ownership;
    intake.begin(fresh, from);
    this.#end([old], "recreated");
    this.#context.sink.assigned([fresh], []);
    return fresh;
  }

  /** Nothing is handed over, proved or committed any more; the ownerships go on until {@linkcode end}. */
  stop(): void {
    this.#isOver = true;
    this.#epoch++;
    this.#over.resolve();
  }

  /** Ends everything. */
  end(reason: LostReason): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.stop();
    this.#forget(reason);
    this.#context.session.ended();
    this.#assigned.reject(
      new BrokerError(`Cannot join group "${this.#context.options.group}": the consumer has ended`),
    );
  }

  /** Begins again from nothing. */
  #forget(reason: LostReason): void {
    const ownerships = [...this.#intakes.values()].map(({ ownership }) => ownership);
    this.#intakes.clear();
    this.#end(ownerships, reason);
  }

  #unprove(): void {
    this.#epoch++;
    this.#proof.resolve();
    this.#proof = Promise.withResolvers();
    for (const intake of this.#intakes.values()) intake.proved = false;
    this.#context.session.proved(false);
  }

  async #prove(epoch: number): Promise<void> {
    const intakes = [...this.#intakes.values()];
    const committed = await this.#committed(intakes, epoch);
    if (committed === null || epoch !== this.#epoch) return;
    const { sink, session, fetching } = this.#context;
    const ended: Record<"unknown" | "recreated", KafkaOwnership[]> = { unknown: [], recreated: [] };
    const added: KafkaOwnership[] = [];
    const continued: KafkaOwnership[] = [];
    intakes.forEach((intake, at) => {
      const now = committed[at] ?? null;
      const { ownership } = intake;
      intake.proved = true;
      if (ownership !== null && ownership.provedBy(now)) {
        continued.push(ownership);
        return;
      }
      if (ownership !== null) {
        ended[now === null && ownership.hasCommitted ? "recreated" : "unknown"].push(ownership);
        fetching.seek(intake, now?.offset ?? EARLIEST);
      }
      const fresh = new KafkaOwnership(intake.topic, intake.partition, now);
      intake.begin(fresh, now?.offset ?? null);
      added.push(fresh);
    });
    this.#sinceMs = Date.now();
    this.#end(ended.unknown, "unknown");
    this.#end(ended.recreated, "recreated");
    sink.assigned(added, continued);
    if (!this.#isOver) session.proved(true);
    this.#assigned.resolve();
    this.#proof.resolve();
    for (const intake of intakes) {
      if (intake.missed) fetching.seek(intake, intake.position ?? EARLIEST);
      intake.missed = false;
      if (!intake.halted || intake.paused) continue;
      intake.halted = false;
      fetching.resume(intake);
    }
  }

  /** What the group has committed; `null` if the question came to be outdated. */
  async #committed(intakes: readonly Intake[], epoch: number): Promise<(Committed | null)[] | null> {
    const { cluster, options, monitor } = this.#context;
    while (epoch === this.#epoch) {
      try {
        return await cluster.committed(options.group, intakes);
      } catch (error) {
        const { message } = describeError(error);
        monitor.emit("broker.log", { level: "warn", message, details: { group: options.group } });
        await waitUntilSettled(this.#over.promise, PROOF_RETRY_MS);
      }
    }
    return null;
  }

  #end(ownerships: readonly (KafkaOwnership | null)[], reason: LostReason): void {
    const lost = ownerships.filter((ownership) => ownership !== null);
    if (lost.length === 0) return;
    for (const ownership of lost) ownership.end(BECAUSE[reason]);
    this.#context.sink.lost(lost, reason);
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition}/${topic}`;
}
