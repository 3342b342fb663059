/**
 * The Metadata request in version 12 (Kafka 3.0 and later), which has the ids of topics: the one way to notice that a topic
 * was deleted and created again. Each topic and partition carries an error code of its own, and none spoils the others.
 */
import { Buffer } from "node:buffer";
import { Reader, writeVarint } from "./reader.ts";
import { chooseVersion, type Request } from "./request.ts";

/** A broker of the cluster. */
export interface BrokerNode {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

/** A partition, as the answering broker knows it. */
export interface PartitionMetadata {
  readonly error: number;
  readonly partition: number;
  /** Node id of the leader, −1 for none. */
  readonly leader: number;
  /** Rises each time the partition gets another leader. */
  readonly leaderEpoch: number;
}

/** A topic, as the answering broker knows it. */
export interface TopicMetadata {
  readonly error: number;
  readonly topic: string;
  /** Changes when the topic is deleted and created again. */
  readonly topicId: string;
  /** In the order of their numbers. */
  readonly partitions: readonly PartitionMetadata[];
}

/** Response of the Metadata request. */
export interface MetadataResponse {
  readonly clientSideThrottleTime: number;
  readonly brokers: readonly BrokerNode[];
  /** Node id of the controller, −1 for none. */
  readonly controllerId: number;
  readonly topics: readonly TopicMetadata[];
}

const API_KEY = 3;
const VERSION = 12;
const TOPIC_ID_BYTES = 16;

/** Asks for some topics; none are created by that. An empty list asks for the brokers only. */
export function metadataRequest(topics: readonly string[]): Request<MetadataResponse> {
  return {
    name: "Metadata",
    encode(versions) {
      const version = chooseVersion("Metadata", API_KEY, { min: VERSION, max: VERSION }, versions);
      return { apiKey: API_KEY, version, isFlexible: true, body: encode(topics), decode };
    },
  };
}

function encode(topics: readonly string[]): Buffer {
  const names = topics.map((topic) => Buffer.from(topic));
  const bytes = names.reduce((sum, name) => sum + TOPIC_ID_BYTES + 6 + name.length, 16);
  const body = Buffer.alloc(bytes);
  let at = writeVarint(body, names.length + 1, 0);
  for (const name of names) {
    // The id is left at zeros: the topic is asked for by its name.
    at = writeVarint(body, name.length + 1, at + TOPIC_ID_BYTES);
    at += name.copy(body, at) + 1; // and no tagged fields
  }
  at += 3; // no topics are created; no authorised operations; no tagged fields
  return body.subarray(0, at);
}

function decode(payload: Buffer): MetadataResponse {
  const reader = new Reader(payload);
  reader.skipTags();
  const clientSideThrottleTime = reader.int32();
  const brokers = reader.compactArray(() => {
    const broker = { nodeId: reader.int32(), host: reader.compactString() ?? "", port: reader.int32() };
    reader.compactString(); // the rack
    reader.skipTags();
    return broker;
  });
  reader.compactString(); // the cluster's id
  const controllerId = reader.int32();
  const topics = reader.compactArray(() => readTopic(reader));
  return { clientSideThrottleTime, brokers, controllerId, topics };
}

function readTopic(reader: Reader): TopicMetadata {
  const error = reader.int16();
  const topic = reader.compactString() ?? "";
  const topicId = reader.bytes(TOPIC_ID_BYTES).toString("hex");
  reader.boolean(); // whether it is internal
  const partitions = reader.compactArray(() => readPartition(reader));
  reader.int32(); // authorised operations
  reader.skipTags();
  return { error, topic, topicId, partitions: partitions.toSorted((a, b) => a.partition - b.partition) };
}

function readPartition(reader: Reader): PartitionMetadata {
  const [error, partition, leader, leaderEpoch] = [reader.int16(), reader.int32(), reader.int32(), reader.int32()];
  // Replicas, those in sync, those that are offline.
  for (let lists = 0; lists < 3; lists++) reader.compactArray(() => reader.int32());
  reader.skipTags();
  return { error, partition, leader, leaderEpoch };
}
