/** Code that is loaded within one request does not keep the context of that request. */
import { assertEquals } from "@std/assert";

const PROGRAM = `
import { activeJobTopic, App, currentAttributes, Job } from "${new URL("../../mod.ts", import.meta.url)}";
class Current extends currentAttributes("userId") {}
class NoteJob extends Job {
  perform() {}
}
const app = new App({
  name: "web",
  broker: BROKER,
  jobs: [NoteJob],
  topics: [activeJobTopic("default")],
  currentAttributes: [Current],
  logger: false,
});
const seen = [];
const server = Deno.serve({ port: 0, onListen() {} }, async (request) => {
  seen.push(Current.userId ?? "nobody");
  const user = new URL(request.url).searchParams.get("user");
  if (user !== null) {
    await Current.run({ userId: user }, async () => {
      await NoteJob.performLater();
      const stop = new AbortController();
      const worker = app.worker().run(stop.signal);
      await app.flush();
      stop.abort();
      await worker;
    }).catch(() => {});
  }
  return new Response("done");
});
const get = async (query) => await (await fetch("http://127.0.0.1:" + server.addr.port + "/" + query)).text();
// The first request is the first to load the broker and the worker's loop.
await get("?user=7");
await get("");
await get("");
await server.shutdown();
await app.close(0);
console.log(seen.join(" "));
Deno.exit();
`;

for (const [name, broker] of [["memory", `"memory:"`], ["a Kafka that is away", `"kafka://127.0.0.1:9"`]] as const) {
  Deno.test(`lazyImport() lets no request see the user of the one that loaded the code (${name})`, async () => {
    const file = await Deno.makeTempFile({ suffix: ".js" });
    try {
      await Deno.writeTextFile(
        file,
        // A Kafka that is away has no flush: the worker gives up on it, once all of its code is loaded.
        PROGRAM.replace("BROKER", broker).replace(
          "await app.flush();",
          broker.startsWith(`"kafka`) ? "await worker;" : "await app.flush();",
        ),
      );
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", file],
        stdin: "null",
      }).output();
      const text = new TextDecoder().decode(stdout).trim();
      assertEquals(text, "nobody nobody nobody", new TextDecoder().decode(stderr));
    } finally {
      await Deno.remove(file);
    }
  });
}
