/** Leaders that cannot be reached: another one is looked for, and gets the batches as soon as it is known. */
import { assert, assertEquals } from "@std/assert";
import { Api } from "../../../support/kafka/scripted_broker.ts";
import { openProducer, sentTo, written } from "../../../support/kafka/scripted_producer.ts";
import { apiVersionsResponse } from "../../../support/kafka/scripted_responses.ts";
import { until } from "../../../support/until.ts";

Deno.test("a batch that waits for a dead leader goes to the next one with the metadata that names it", async () => {
  await using world = openProducer({ others: 1 });
  const { kafka } = world;
  kafka.partitions = [{ leader: 1 }];
  const [dead] = kafka.others;
  dead!.onConnect = () => "cut";
  const outcome = world.append(["0"]);
  // From here on it waits for 800 ms or longer, and the cluster is asked four times a second.
  await until(() => dead!.connectionCount === 6, () => `${dead!.connectionCount} connections`);
  let told = 0;
  kafka.broker.on(Api.metadata, () => {
    told++;
    return kafka.metadata();
  });
  kafka.partitions = [{ leader: 0, leaderEpoch: 1 }];
  assertEquals(written(await outcome), [0]);
  assert(told <= 2, `The cluster told the new leader ${told} times`);
  assertEquals(dead!.connectionCount, 6);
});

Deno.test("the connection to a silent leader is not waited for once another broker leads", async () => {
  await using world = openProducer({ others: 1, connectionTimeoutMs: 20_000 });
  const { kafka } = world;
  kafka.partitions = [{ leader: 1 }];
  const [silent] = kafka.others;
  const opened = Promise.withResolvers<void>();
  silent!.on(Api.apiVersions, async () => {
    await opened.promise;
    return apiVersionsResponse();
  });
  const outcome = world.append(["0"]);
  await until(() => silent!.connectionCount === 1, () => "not connected to");
  kafka.partitions = [{ leader: 0, leaderEpoch: 1 }];
  assertEquals(written(await outcome), [0]);
  assertEquals(silent!.openConnections, 1);
  opened.resolve();
  assertEquals(written(await world.append(["1"])), [1]);
  assertEquals(sentTo(silent!), []);
  assertEquals(sentTo(kafka.broker).map(({ sequence }) => sequence), [0, 1]);
});

Deno.test("no other leader is looked for once the lost one has responded again", async () => {
  await using world = openProducer({ others: 1 });
  const { kafka } = world;
  kafka.partitions = [{ leader: 1 }];
  const [leader] = kafka.others;
  leader!.onConnect = () => leader!.connectionCount <= 2 ? "cut" : "accept";
  assertEquals(written(await world.append(["0"])), [0]);
  let told = 0;
  kafka.broker.on(Api.metadata, () => {
    told++;
    return kafka.metadata();
  });
  // A search would ask the cluster four times a second.
  const endMs = performance.now() + 1200;
  for (let n = 1; performance.now() < endMs; n++) assertEquals(written(await world.append([`${n}`])), [n]);
  assert(told <= 1, `The cluster told the leader ${told} times`);
});
