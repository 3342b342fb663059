/**
 * The part of kafkajs' inner `Cluster` and `Broker` that we use, which its own types do not describe. Interfaces only, for
 * version 2.2.4, which is pinned: there will hardly be another.
 */

/** What is asked of one node of the cluster. */
export interface RawBroker {
  metadata(topics: string[]): Promise<{
    topicMetadata: { topic: string; partitionMetadata: { partitionId: number; leader: number }[] }[];
  }>;
  describeConfigs(request: { resources: { type: number; name: string }[] }): Promise<{
    resources: { configEntries: { configName: string; configValue: string | null }[] }[];
  }>;
  listOffsets(request: {
    replicaId: number;
    isolationLevel: number;
    topics: { topic: string; partitions: { partition: number; timestamp: number }[] }[];
  }): Promise<{ responses: { partitions: { partition: number; offset: string }[] }[] }>;
  offsetFetch(request: { groupId: string; topics: { topic: string; partitions: { partition: number }[] }[] }): Promise<{
    responses: { topic: string; partitions: { partition: number; offset: string; metadata: string | null }[] }[];
  }>;
  offsetCommit(request: {
    groupId: string;
    groupGenerationId: number;
    memberId: string;
    topics: { topic: string; partitions: { partition: number; offset: string; metadata: string }[] }[];
  }): Promise<void>;
  listGroups(): Promise<{ groups: { groupId: string }[] }>;
  leaveGroup(request: { groupId: string; memberId: string }): Promise<void>;
  createTopics(request: { topics: unknown[] }): Promise<void>;
  createPartitions(request: { topicPartitions: { topic: string; count: number }[] }): Promise<void>;
}

/** The cluster. */
export interface RawCluster {
  readonly brokerPool: {
    readonly brokers: Readonly<Record<string, unknown>>;
    connect(): Promise<void>;
    refreshMetadata(topics: string[]): Promise<void>;
    findConnectedBroker(): Promise<RawBroker>;
    metadata: unknown;
  };
  findBroker(node: { nodeId: number }): Promise<RawBroker>;
  findControllerBroker(): Promise<RawBroker>;
  findGroupCoordinator(group: { groupId: string }): Promise<RawBroker>;
  disconnect(): Promise<void>;
}
