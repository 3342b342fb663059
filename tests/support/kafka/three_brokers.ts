/**
 * A cluster of three real broker processes on this machine, for tests of faults: each can be killed, frozen, stopped and
 * started again alone. Node 1 is also the controller; let it live where a test measures how fast the others are replaced.
 *
 * A broker that does not answer for nine seconds is dead for the cluster. Offsets have three replicas, and two of them must
 * have a record before it is acknowledged.
 */
import kafkajs, { type Admin } from "./kafkajs.ts";
import { fetchJars, findFreePorts, generateClusterId, isListening, runCommand } from "../../../tasks/kafka/server.ts";
import { kafkaSettings } from "../../../src/broker/kafka/options.ts";
import { Cluster } from "../../../src/broker/kafka/wire/cluster.ts";
import { findCoordinator } from "../../../src/broker/kafka/wire/requests.ts";
import { until } from "../until.ts";

/** Number of a broker. */
export type Node = 1 | 2 | 3;

/** A topic to create. */
export interface AssignedTopic {
  readonly name: string;
  /** For each partition its replicas; the first one leads. */
  readonly replicas: readonly (readonly Node[])[];
  readonly config?: Readonly<Record<string, string>>;
}

const NODES: readonly Node[] = [1, 2, 3];
const JAVA = [
  "-Xmx400m",
  "-Xms128m",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
];
/** The longest time to start the cluster, or to make it whole again, in milliseconds. The machine may be busy. */
const PATIENCE_MS = 120_000;
const OFFSETS_TOPIC = "__consumer_offsets";

/** See the module. */
export class ThreeBrokers implements AsyncDisposable {
  /** Addresses of the three, in their order. */
  readonly brokers: readonly string[];
  readonly #folder: string;
  readonly #jars: string;
  readonly #children = new Map<Node, Deno.ChildProcess>();
  readonly #cluster: Cluster;

  /** Starts them, and waits until the cluster is whole. */
  static async start(): Promise<ThreeBrokers> {
    const jars = await fetchJars();
    const [controllerPort, ...ports] = findFreePorts(4) as [number, number, number, number];
    const folder = await Deno.makeTempDir({ prefix: "three-brokers-" });
    const clusterId = generateClusterId();
    await Promise.all(NODES.map(async (node) => {
      const file = `${folder}/${node}.properties`;
      await Deno.writeTextFile(file, formatProperties(node, ports[node - 1]!, controllerPort, folder));
      const format = ["format", "--config", file, "--cluster-id", clusterId];
      await runCommand("java", [...JAVA, "-cp", `${jars}/*`, "kafka.tools.StorageTool", ...format]);
    }));
    const three = new ThreeBrokers(folder, jars, ports);
    try {
      await Promise.all(NODES.map((node) => three.start(node)));
      // The topic of the groups' offsets is created at the first question, and must be whole before a broker dies.
      await three.coordinatorOf("any");
      await three.untilWhole();
      return three;
    } catch (error) {
      await three[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(folder: string, jars: string, ports: readonly number[]) {
    this.#folder = folder;
    this.#jars = jars;
    this.brokers = ports.map((port) => `127.0.0.1:${port}`);
    const { brokers, requestTimeoutMs, connectionTimeoutMs } = kafkaSettings({ brokers: this.brokers });
    const connection = { clientId: "three-brokers", ssl: false, sasl: null, connectionTimeoutMs };
    this.#cluster = new Cluster({ brokers, requestTimeoutMs, connection });
  }

  /** Starts a broker that does not run; resolves once it accepts connections. */
  async start(node: Node): Promise<void> {
    const log = await Deno.open(`${this.#folder}/${node}.log`, { create: true, append: true });
    const properties = `${this.#folder}/${node}.properties`;
    const child = new Deno.Command("java", {
      args: [...JAVA, "-cp", `${this.#jars}/*`, "kafka.Kafka", properties],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    void child.stdout.pipeTo(log.writable).catch(() => {});
    this.#children.set(node, child);
    await until(() => isListening(this.#portOf(node)), () => `broker ${node} accepts no connection`, PATIENCE_MS);
  }

  /** `kill -9`. */
  async kill(node: Node): Promise<void> {
    await this.#end(node, "SIGKILL");
  }

  /** TERM: it hands over what it leads, and ends. */
  async terminate(node: Node): Promise<void> {
    await this.#end(node, "SIGTERM");
  }

  /** Stops its process where it is: connections are accepted, and nothing is answered. */
  freeze(node: Node): void {
    this.#children.get(node)!.kill("SIGSTOP");
  }

  /** Lets a frozen process go on. */
  thaw(node: Node): void {
    this.#children.get(node)!.kill("SIGCONT");
  }

  /** Creates topics; resolves once each partition is led by its first replica. */
  async create(...topics: readonly AssignedTopic[]): Promise<void> {
    await this.administer((admin) =>
      admin.createTopics({
        waitForLeaders: false,
        topics: topics.map(({ name, replicas, config = {} }) => ({
          topic: name,
          replicaAssignment: replicas.map((nodes, partition) => ({ partition, replicas: [...nodes] })),
          configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
        })),
      })
    );
    for (const { name, replicas } of topics) {
      for (const [partition, [leader]] of replicas.entries()) await this.untilLedBy(name, partition, leader!);
    }
  }

  /** Deletes a topic; resolves once no broker knows it. */
  async delete(topic: string): Promise<void> {
    await this.administer((admin) => admin.deleteTopics({ topics: [topic] }));
    await until(async () => {
      await this.#cluster.metadata.refresh([topic]);
      return this.#cluster.metadata.isMissing(topic);
    }, () => `topic "${topic}" is still there`);
  }

  /** Limits what clients may fetch from each broker, in bytes a second; `null`: no limit. */
  limitFetches(bytesASecond: number | null): Promise<void> {
    return this.#configure(["clients", "--entity-default"], "consumer_byte_rate", bytesASecond);
  }

  /** Sets how many replicas must have a record of the groups' offsets; `null`: as for every topic. */
  setOffsetsReplicas(minInSync: number | null): Promise<void> {
    return this.#configure(["topics", "--entity-name", OFFSETS_TOPIC], "min.insync.replicas", minInSync);
  }

  /** Lets an administrator do something. All brokers must be there. */
  async administer<T>(action: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = new kafkajs.Kafka({ brokers: [...this.brokers], logLevel: 0 }).admin();
    await admin.connect();
    try {
      return await action(admin);
    } finally {
      await admin.disconnect();
    }
  }

  /** Returns the broker that leads a partition; `null` for none. */
  async leaderOf(topic: string, partition: number): Promise<number | null> {
    await this.#cluster.metadata.refresh([topic]);
    return this.#cluster.leaderOf(topic, partition);
  }

  /** Waits until a broker leads a partition; `null`: until none does. */
  async untilLedBy(topic: string, partition: number, leader: Node | null): Promise<void> {
    let now: number | null = null;
    await until(
      async () => (now = await this.leaderOf(topic, partition)) === leader,
      () => `${topic}/${partition} is led by ${now}, not by ${leader}`,
      PATIENCE_MS,
    );
  }

  /** Returns the broker that coordinates a group. */
  coordinatorOf(group: string): Promise<number> {
    return until(
      async () => {
        const { errorCode, coordinator } = await this.#cluster.ask(findCoordinator(group));
        return errorCode === 0 ? coordinator.nodeId : null;
      },
      () => `group "${group}" has no coordinator`,
      PATIENCE_MS,
    );
  }

  /** Returns the name of a group that this broker coordinates. */
  async groupOn(node: Node, prefix: string): Promise<string> {
    for (let n = 0;; n++) {
      if (await this.coordinatorOf(`${prefix}-${n}`) === node) return `${prefix}-${n}`;
    }
  }

  /** Starts the brokers that do not run, and waits until every replica is in sync and leads again where it did at first. */
  async restore(): Promise<void> {
    await Promise.all(NODES.filter((node) => !this.#children.has(node)).map((node) => this.start(node)));
    await this.untilWhole();
  }

  /** Waits until all three are there, every replica is in sync, and each partition's first replica leads it. */
  async untilWhole(): Promise<void> {
    let problem = "";
    await until(
      async () => (problem = await this.#problem().catch((error) => (error as Error).message)) === "",
      () => problem,
      PATIENCE_MS,
    );
  }

  async #configure(entity: readonly string[], name: string, value: number | null): Promise<void> {
    const change = value === null ? ["--delete-config", name] : ["--add-config", `${name}=${value}`];
    await runCommand("java", [
      ...[...JAVA, "-cp", `${this.#jars}/*`, "kafka.admin.ConfigCommand", "--bootstrap-server", this.brokers[0]!],
      ...["--alter", ...change, "--entity-type", ...entity],
    ]);
  }

  async #problem(): Promise<string> {
    return await this.administer(async (admin) => {
      const { brokers } = await admin.describeCluster();
      if (brokers.length < NODES.length) return `there are ${brokers.length} brokers`;
      const { topics } = await admin.fetchTopicMetadata();
      if (!topics.some(({ name }) => name === OFFSETS_TOPIC)) return `${OFFSETS_TOPIC} is missing`;
      for (const { name, partitions } of topics) {
        for (const { partitionId, leader, isr, replicas } of partitions) {
          if (isr.length < replicas.length) return `${name}/${partitionId} has in sync ${isr} of ${replicas}`;
          if (leader !== replicas[0]) return `${name}/${partitionId} is led by ${leader}, not by ${replicas[0]}`;
        }
      }
      return "";
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cluster.close();
    for (const node of [...this.#children.keys()]) await this.kill(node);
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #end(node: Node, signal: Deno.Signal): Promise<void> {
    const child = this.#children.get(node)!;
    this.#children.delete(node);
    child.kill(signal);
    await child.status;
  }

  #portOf(node: Node): number {
    return Number(this.brokers[node - 1]!.split(":")[1]);
  }
}

function formatProperties(node: Node, port: number, controllerPort: number, folder: string): string {
  const isController = node === 1;
  const settings: Record<string, string | number> = {
    "process.roles": isController ? "broker,controller" : "broker",
    "node.id": node,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    "listeners": `PLAINTEXT://127.0.0.1:${port}${isController ? `,CONTROLLER://127.0.0.1:${controllerPort}` : ""}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "log.dirs": `${folder}/data${node}`,
    "auto.create.topics.enable": "false",
    "min.insync.replicas": 2,
    "offsets.topic.replication.factor": 3,
    "offsets.topic.num.partitions": 6,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "broker.session.timeout.ms": 9000,
    "broker.heartbeat.interval.ms": 2000,
    // Brokers that follow a new leader pause for this time first, by default 1 s, and nothing is acknowledged meanwhile. That time
    // is the cluster's; the tests measure ours.
    "replica.fetch.backoff.ms": 50,
    // Leaders go back to their first replicas soon, so that the next test finds them there.
    "leader.imbalance.check.interval.seconds": 2,
    "leader.imbalance.per.broker.percentage": 0,
    // A fetch beyond its quota is answered after as many seconds, or more.
    "quota.window.num": 16,
    "log.cleaner.dedupe.buffer.size": 2_097_152,
  };
  return Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join("");
}
