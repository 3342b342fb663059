/** The search for the leaders of fetched partitions on a scripted broker. */
import { assertEquals } from "@std/assert";
import { FetchedPartition } from "../../../../src/broker/kafka/consumer/fetched_partition.ts";
import { LeaderSearch } from "../../../../src/broker/kafka/consumer/leader_search.ts";
import type { Cluster } from "../../../../src/broker/kafka/wire/cluster.ts";
import { Api } from "../../../support/kafka/scripted_broker.ts";
import { ScriptedKafka, TOPIC, TOPIC_ID } from "../../../support/kafka/scripted_kafka.ts";
import { MachineMeter } from "../../../support/machine_meter.ts";
import { durationMs, until } from "../../../support/until.ts";

interface World extends AsyncDisposable {
  readonly kafka: ScriptedKafka;
  readonly cluster: Cluster;
  readonly search: LeaderSearch;
  readonly partitions: readonly FetchedPartition[];
  /** Each time that a leader was found, as `"partition: leader"`. */
  readonly found: string[];
}

/** Opens a search for the leaders of two partitions, which are known in the metadata. */
async function openSearch(prepare: (kafka: ScriptedKafka) => void = () => {}): Promise<World> {
  const kafka = new ScriptedKafka({ partitions: 2, others: 1 });
  prepare(kafka);
  const cluster = kafka.connect();
  const partitions = [0, 1].map((partition) => new FetchedPartition({ topic: TOPIC, partition }, 0, TOPIC_ID));
  const found: string[] = [];
  const closing = new AbortController();
  const search = new LeaderSearch(cluster, new Set(partitions), {
    found: ({ partition }, leader) => void found.push(`${partition}: ${leader}`),
    leaderChanged() {},
    topicsRefreshed() {},
    log() {},
  }, closing.signal);
  await cluster.metadata.refresh([TOPIC]);
  search.run();
  return {
    kafka,
    cluster,
    search,
    partitions,
    found,
    async [Symbol.asyncDispose]() {
      closing.abort();
      cluster.close();
      await kafka[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a leader that was lost is not found in the metadata from before", async () => {
  await using world = await openSearch();
  const [lost] = world.partitions;
  world.kafka.partitions = [{ leader: 1, leaderEpoch: 1 }, { leader: 0 }];
  world.search.lose(lost!);
  world.search.run();
  assertEquals(lost!.leader, null);
  await until(() => world.found.length === 3, () => `${world.found}`);
  assertEquals(world.found, ["0: 0", "1: 0", "0: 1"]);
  assertEquals(lost!.notBeforeMs, 0);
});

Deno.test("the next leader is followed at once where the metadata has it already", async () => {
  await using world = await openSearch();
  const [lost] = world.partitions;
  world.kafka.partitions = [{ leader: 1, leaderEpoch: 1 }, { leader: 0 }];
  await world.cluster.metadata.refresh([TOPIC]);
  world.search.lose(lost!);
  world.search.run();
  assertEquals([lost!.leader, lost!.leaderEpoch, lost!.notBeforeMs], [1, 1, 0]);
});

Deno.test("a leader that the cluster names again is asked again after a wait", async () => {
  await using world = await openSearch();
  const [lost] = world.partitions;
  const lostMs = performance.now();
  world.search.lose(lost!);
  await until(() => world.found.length === 3, () => `${world.found}`);
  assertEquals([world.found.at(-1), lost!.notBeforeMs >= lostMs + 100], ["0: 0", true]);
});

Deno.test("a partition without a leader does not delay the search for that of another one", async () => {
  await using world = await openSearch((kafka) => kafka.partitions = [{ error: 5, leader: -1 }, { leader: 0 }]);
  const [, lost] = world.partitions;
  const asked = () => world.kafka.broker.received(Api.metadata).length;
  // At first, and then after 0, 200 and 400 ms: the next question follows 500 ms later.
  await until(() => asked() === 4, () => `asked ${asked()} times`);
  world.kafka.partitions = [{ error: 5, leader: -1 }, { leader: 1, leaderEpoch: 1 }];
  using machine = new MachineMeter();
  world.search.lose(lost!);
  const tookMs = await durationMs(() => until(() => lost!.leader === 1, () => `${world.found}`));
  machine.assertWithin("search", tookMs, 250);
});
