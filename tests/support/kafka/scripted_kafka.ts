/**
 * A scripted broker that is a whole Kafka of one node, as far as this library needs one: a topic, a log, and a group that has
 * one member. A test changes the script of the request that it is about.
 */
import { Buffer } from "node:buffer";
import { groupProtocol } from "../../../src/broker/kafka/wire/kafkajs.ts";
import { Reader } from "../../../src/broker/kafka/wire/reader.ts";
import { Cluster } from "../../../src/broker/kafka/wire/cluster.ts";
import { Api, ScriptedBroker, type ScriptedRequest } from "./scripted_broker.ts";
import { batchesOf, positionsOf, ScriptedLog } from "./scripted_log.ts";
import * as respond from "./scripted_responses.ts";

/** Name of the topic. */
export const TOPIC = "jobs";
/** Id of the topic. */
export const TOPIC_ID = "0123456789abcdef0123456789abcdef";
export const PRODUCER_ID = 4000;

const EMPTY = Buffer.alloc(0);

/** See the module. */
export class ScriptedKafka implements AsyncDisposable {
  readonly broker = new ScriptedBroker();
  readonly log = new ScriptedLog();
  /** Brokers beside this one, which lead partitions. */
  readonly others: ScriptedBroker[] = [];
  /** Partitions of the topic; `null` while it does not exist. */
  partitions: respond.ScriptedPartition[] | null;
  topicId = TOPIC_ID;
  /** The committed offsets of the group, by partition. */
  readonly committed = new Map<number, { readonly offset: number; readonly metadata: string }>();
  /** Share of the member. */
  share: number[];
  generation = 0;
  #producerId = PRODUCER_ID;

  constructor({ partitions = 1, others = 0 } = {}) {
    this.partitions = Array.from({ length: partitions }, () => ({ leader: 0 }));
    this.share = Array.from({ length: partitions }, (_, partition) => partition);
    for (let count = 0; count < others; count++) this.others.push(new ScriptedBroker());
    for (const broker of [this.broker, ...this.others]) this.#script(broker);
  }

  /** A client of it. */
  connect({ requestTimeoutMs = 5000, connectionTimeoutMs = 2000 } = {}): Cluster {
    return new Cluster({
      brokers: [this.broker.address],
      requestTimeoutMs,
      connection: { clientId: "test", ssl: false, sasl: null, connectionTimeoutMs },
    });
  }

  /** The metadata as it is now. */
  metadata(): Buffer {
    const nodes = [this.broker, ...this.others].map(({ port }, nodeId) => ({ nodeId, port }));
    const topic = this.partitions === null
      ? { name: TOPIC, id: "0".repeat(32), error: 3, partitions: [] }
      : { name: TOPIC, id: this.topicId, partitions: this.partitions };
    return respond.metadataResponse(nodes, [topic]);
  }

  /** Accepts what a producer sends. */
  produce(request: ScriptedRequest): Buffer {
    return respond.produceResponse(
      batchesOf(request).map(({ topic, partition, bytes }) => {
        return { topic, partition, baseOffset: this.log.append(partition, bytes) };
      }),
    );
  }

  /** Refuses what a producer sends. */
  refuse(request: ScriptedRequest, error: number): Buffer {
    return respond.produceResponse(
      batchesOf(request).map(({ topic, partition }) => ({ topic, partition, error, baseOffset: -1 })),
    );
  }

  /** Commits what a member sends. */
  commit(request: ScriptedRequest, error = 0): Buffer {
    const reader = new Reader(request.body);
    reader.string();
    reader.int32();
    reader.string();
    const partitions = reader.array(() => {
      const topic = reader.string()!;
      return reader.array(() => {
        const [partition, offset, metadata] = [reader.int32(), reader.int64(), reader.string() ?? ""];
        if (error === 0) this.committed.set(partition, { offset, metadata });
        return { topic, partition, error };
      });
    }).flat();
    return respond.offsetCommitResponse(partitions);
  }

  /** Accepts a member, which leads the group. */
  join(request: ScriptedRequest): Buffer {
    const reader = new Reader(request.body);
    reader.string();
    reader.int32();
    reader.int32();
    const memberId = reader.string() || "member-1";
    reader.string();
    reader.string();
    const [metadata] = reader.array(() => [reader.string(), reader.bytes(reader.int32())] as const)[0]!.slice(1);
    this.generation++;
    const members = [{ memberId, metadata: metadata as Buffer }];
    return respond.joinGroupResponse({ memberId, generation: this.generation, leader: memberId, members });
  }

  /** Gives the member its share. */
  sync(): Buffer {
    const assignment = this.share.length === 0 ? {} : { [TOPIC]: this.share };
    return respond.syncGroupResponse(
      groupProtocol.MemberAssignment.encode({ version: 0, assignment, userData: EMPTY }),
    );
  }

  /** The committed offsets of its share, or an error of the whole or of each partition. */
  offsets(error = 0, partitionError = 0): Buffer {
    const partitions = this.share.map((partition) => {
      const { offset = -1, metadata = "" } = this.committed.get(partition) ?? {};
      return { topic: TOPIC, partition, offset, metadata, error: partitionError };
    });
    return respond.offsetFetchResponse(partitions, error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const broker of [this.broker, ...this.others]) await broker[Symbol.asyncDispose]();
  }

  #script(broker: ScriptedBroker): void {
    const at = { nodeId: 0, port: this.broker.port };
    broker.on(Api.apiVersions, () => respond.apiVersionsResponse());
    broker.on(Api.metadata, () => this.metadata());
    broker.on(Api.findCoordinator, () => respond.findCoordinatorResponse(at));
    broker.on(Api.initProducerId, () => respond.initProducerIdResponse(this.#producerId++));
    broker.on(Api.describeConfigs, () => respond.describeConfigsResponse(TOPIC, { "max.message.bytes": "1000000" }));
    broker.on(Api.produce, (request) => this.produce(request));
    broker.on(Api.joinGroup, (request) => this.join(request));
    broker.on(Api.syncGroup, () => this.sync());
    broker.on(Api.heartbeat, () => respond.heartbeatResponse());
    broker.on(Api.leaveGroup, () => respond.leaveGroupResponse());
    broker.on(Api.offsetFetch, () => this.offsets());
    broker.on(Api.offsetCommit, (request) => this.commit(request));
    broker.on(Api.listOffsets, (request) => {
      const reader = new Reader(request.body);
      reader.int32();
      reader.bytes(1);
      const partitions = reader.array(() => {
        const topic = reader.string()!;
        return reader.array(() => {
          const partition = reader.int32();
          const isEarliest = reader.int64() === -2;
          return { topic, partition, offset: isEarliest ? 0 : this.log.end(partition) };
        });
      }).flat();
      return respond.listOffsetsResponse(partitions);
    });
    broker.on(Api.fetch, async (request) => {
      const maxWaitMs = new Reader(request.body.subarray(4)).int32();
      return respond.fetchResponse(await this.log.fetch(positionsOf(request), maxWaitMs));
    });
  }
}
