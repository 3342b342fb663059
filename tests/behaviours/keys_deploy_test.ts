/** Keys side by side over a deploy from version 0.1 and back: what the commits of one tell the other. */
import { assertEquals } from "@std/assert";
import { decodeCommitMetadata, encodeCommitMetadata } from "../../src/worker/partition/commit_metadata.ts";
import { forSeeds } from "../support/random.ts";
import { hasHistory, readFileOf0_1 } from "../support/version_0_1.ts";

/** The part of version 0.1 that reads and writes a commit's metadata. */
interface Codec0_1 {
  encodeProgress(progress: Progress0_1, front: number, maxLength: number): string;
  decodeProgress(text: string, front: number): Progress0_1;
}

interface Progress0_1 {
  readonly failed: { readonly offset: number; readonly attempts: number } | null;
  readonly strikes: number;
  readonly finished: readonly { readonly from: number; readonly to: number }[];
}

async function loadCodec(): Promise<Codec0_1> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(path, await readFileOf0_1("src/worker/finished_offsets.ts"));
  const codec = await import(new URL(`file://${path}`).href);
  await Deno.remove(path);
  return codec;
}

Deno.test({
  name: "P13: a worker of 0.1 takes over, and back: nothing that was finished runs again, as far as it fits",
  ignore: !hasHistory(),
  async fn() {
    const { encodeProgress, decodeProgress } = await loadCodec();
    forSeeds(200, (random) => {
      const front = random.integer(0, 1000);
      const finished: { from: number; to: number }[] = [];
      for (let from = front + 1; finished.length < random.integer(1, 40); from += random.integer(2, 9)) {
        finished.push({ from, to: from + 1 });
      }
      const failed = [{ offset: front, attempts: random.integer(1, 61) }];
      const progress = { failed, strikes: 0, givenUp: [], stuck: [front], finished };
      const maxLength = random.pick([4000, 4000, 150]);
      // Forth: the version of today commits, 0.1 reads what it knows of it, and commits in its own form.
      const text = encodeCommitMetadata(progress, front, maxLength);
      const old = decodeProgress(text, front);
      assertEquals(old.failed, failed[0]);
      assertEquals(old.finished, finished.slice(0, old.finished.length));
      if (maxLength === 4000) assertEquals(old.finished.length, finished.length);
      // And back.
      const now = decodeCommitMetadata(encodeProgress(old, front, 4000), front);
      assertEquals([now.failed, now.finished], [failed, old.finished]);
    });
  },
});
