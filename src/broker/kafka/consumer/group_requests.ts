/** The requests of a member to the coordinator of its group. An error code in a response is thrown. */
import type { Buffer } from "node:buffer";
import { formatPartition, type TopicPartition } from "../../../support/position.ts";
import type { Cluster, Purpose } from "../wire/cluster.ts";
import { Code, ProtocolError } from "../wire/errors.ts";
import type { Request } from "../wire/request.ts";
import { heartbeat, joinGroup, leaveGroup, offsetFetch, syncGroup } from "../wire/requests.ts";
import { ASSIGNER_NAME } from "./assigner.ts";
import { byTopic } from "./by_topic.ts";
import type { AssignedPartition, Generation } from "./generation.ts";
import type { encodeShares, JoinedMember } from "./group_protocol.ts";

/** Options of the requests of a member. */
export interface GroupRequestsOptions {
  readonly group: string;
  readonly sessionTimeoutMs: number;
  /** Connection for the requests. */
  readonly purpose: Purpose;
}

/** The response to a join. */
export interface JoinedGroup {
  readonly errorCode: number;
  readonly generationId: number;
  readonly leaderId: string;
  readonly memberId: string;
  readonly members: readonly JoinedMember[];
}

const LEAVE_MS = 3000;
const MAX_HEARTBEAT_TIMEOUT_MS = 3000;
/** Time for all members to join again, as Kafka's own clients give at least. */
const MIN_REBALANCE_TIMEOUT_MS = 10_000;
/** The coordinator responds to a join once all have joined, or their time is over. */
const JOIN_GRACE_MS = 3000;

/** See the module. */
export class GroupRequests {
  readonly #cluster: Cluster;
  readonly #options: GroupRequestsOptions;

  constructor(cluster: Cluster, options: GroupRequestsOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /**
   * Asks to be a member of the next generation.
   *
   * @param memberId empty for a new member, which gets its id with the error code MEMBER_ID_REQUIRED, and asks again
   */
  join(memberId: string, metadata: Buffer): Promise<JoinedGroup> {
    const { group: groupId, sessionTimeoutMs: sessionTimeout } = this.#options;
    const request = joinGroup({
      groupId,
      sessionTimeout,
      rebalanceTimeout: this.#rebalanceTimeoutMs,
      memberId,
      protocolType: "consumer",
      groupProtocols: [{ name: ASSIGNER_NAME, metadata }],
    });
    return this.#send(request, this.#joinTimeoutMs);
  }

  /** Gets the share of a member. @param shares those of all members, if it leads the group */
  async sync(
    { memberId, generationId }: Generation,
    shares: ReturnType<typeof encodeShares>,
  ): Promise<Buffer> {
    const { group: groupId } = this.#options;
    const request = syncGroup({ groupId, generationId, memberId, groupAssignment: shares });
    return (await this.#send(request, this.#joinTimeoutMs)).memberAssignment;
  }

  /** Returns the committed offsets of partitions. */
  async committed(partitions: readonly TopicPartition[]): Promise<AssignedPartition[]> {
    const request = offsetFetch(this.#options.group, byTopic(partitions, ({ partition }) => ({ partition })));
    const { responses } = await this.#send(request, this.#cluster.shortTimeoutMs);
    return responses.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, errorCode, offset, metadata }) => {
        if (errorCode !== Code.none) {
          throw new ProtocolError(`OffsetFetch of ${formatPartition({ topic, partition })}`, errorCode);
        }
        // Negative is nothing.
        const committed = Number(offset) < 0 ? null : { offset: Number(offset), metadata: metadata ?? "" };
        return { topic, partition, committed };
      })
    );
  }

  /** Keeps the session alive. */
  async heartbeat({ memberId, generationId }: Generation): Promise<void> {
    const { group: groupId, sessionTimeoutMs } = this.#options;
    await this.#send(
      heartbeat({ groupId, groupGenerationId: generationId, memberId }),
      Math.min(MAX_HEARTBEAT_TIMEOUT_MS, sessionTimeoutMs / 3),
    );
  }

  /** Leaves the group. It never rejects: the session of a member that is gone ends by itself. */
  async leave(memberId: string): Promise<void> {
    await this.#send(leaveGroup(this.#options.group, memberId), LEAVE_MS).catch(() => {});
  }

  get #rebalanceTimeoutMs(): number {
    return Math.max(this.#options.sessionTimeoutMs, MIN_REBALANCE_TIMEOUT_MS);
  }

  get #joinTimeoutMs(): number {
    return this.#rebalanceTimeoutMs + JOIN_GRACE_MS;
  }

  async #send<Response extends { readonly errorCode: number }>(
    request: Request<Response>,
    timeoutMs: number,
  ): Promise<Response> {
    const { group, purpose } = this.#options;
    const response = await this.#cluster.sendToCoordinator(group, request, timeoutMs, purpose);
    if (response.errorCode !== Code.none && response.errorCode !== Code.memberIdRequired) {
      throw new ProtocolError(request.name, response.errorCode);
    }
    return response;
  }
}
