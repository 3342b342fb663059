/** What a process may do without: the library nearly everything, and a worker all but what it says itself. */
import { assertEquals, assertMatch } from "@std/assert";
import { permissionFlags } from "../../src/cli/permissions.ts";
import { root } from "../../tasks/process.ts";
import { Child, type ChildEnd, CLI, cli } from "../child.ts";

/** A user's project in a temporary folder, which knows the library by an import map. */
async function project(files: Readonly<Record<string, string>>): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "activejob-kafka-" });
  const imports = { "@activejob/kafka": new URL("mod.ts", root).href };
  await Deno.mkdir(`${path}/jobs/mail`, { recursive: true });
  for (const [name, text] of Object.entries({ ...files, "deno.json": JSON.stringify({ imports }) })) {
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

const LIBRARY = decodeURIComponent(root.pathname).replace(/\/$/, "");

const SHOP = {
  "app.ts": `
    import { activeJobTopic, App } from "@activejob/kafka";
    import { GreetJob } from "./jobs/mail/greet_job.ts";
    export const app = new App({
      name: "shop",
      broker: Deno.env.get("SHOP_BROKER")!,
      jobs: [GreetJob],
      topics: [activeJobTopic("default")],
    });
    Deno.readTextFileSync("greeting.txt");
    await GreetJob.performLater();`,
  "jobs/mail/greet_job.ts": `
    import { Job } from "@activejob/kafka";
    export class GreetJob extends Job {
      perform() {
        console.log("greeted");
      }
    }`,
  "greeting.txt": "Hello",
};

Deno.test("worker --print-permissions prints all that the worker then needs, in one line, and performs nothing", async () => {
  for (const broker of ["memory:", "sqlite:jobs.db"]) {
    await using shop = await project(SHOP);
    const run = async (options: string[], ...args: string[]): Promise<ChildEnd> => {
      const all = [CLI, "worker", "--app", "app.ts", ...args];
      await using child = new Child(all, { cwd: shop.path, options, env: { SHOP_BROKER: broker } });
      return await child.ended();
    };
    const printed = await run(["-A"], "--print-permissions");
    assertEquals(printed.code, 0, printed.stderr.join("\n"));
    const file = broker === "memory:" ? [] : ["jobs.db"];
    const log = file.flatMap((path) => [`${path}-wal`, `${path}-shm`]);
    assertEquals(printed.stdout, [
      [
        "--allow-env=SHOP_BROKER",
        `--allow-read=${[...file, ...log, "app.ts", LIBRARY, "jobs", "greeting.txt"].join(",")}`,
        ...file.map((path) => `--allow-write=${path}`),
      ].join(" "),
    ]);

    const flags = printed.stdout[0]!.split(" ");
    const worked = await run(["--no-prompt", ...flags], "--once");
    assertEquals(worked.code, 0, worked.stderr.join("\n"));
    // The module enqueues as it is loaded, and the file has kept the job of the run that printed.
    assertEquals(worked.stdout, broker === "memory:" ? ["greeted"] : ["greeted", "greeted"]);
    // None of them is too many.
    for (const flag of flags) {
      const lacking = await run(["--no-prompt", ...flags.filter((other) => other !== flag)], "--once");
      assertEquals(lacking.code, 1, `without ${flag}`);
      assertMatch(lacking.stderr.join("\n"), /Requires (env|read|write) access|readonly|unable to open/);
    }
  }
});

Deno.test("a worker that is a program of its own reads and writes its database, and nothing else", async () => {
  await using shop = await project({
    ...SHOP,
    "worker.ts": `
      import "./app.ts";
      import { main } from "${new URL("src/cli/mod.ts", root)}";
      Deno.exit(await main(["worker", "--app", import.meta.resolve("./app.ts"), ...Deno.args]));`,
  });
  const run = async (options: string[], ...args: string[]): Promise<ChildEnd> => {
    const env = { SHOP_BROKER: "sqlite:jobs.db" };
    await using child = new Child(["worker.ts", ...args], { cwd: shop.path, options, env });
    return await child.ended();
  };
  const printed = await run(["-A"], "--print-permissions");
  assertEquals(printed.stdout, [
    "--allow-env=SHOP_BROKER --allow-read=jobs.db,jobs.db-wal,jobs.db-shm,greeting.txt --allow-write=jobs.db",
  ]);
  const worked = await run(["--no-prompt", ...printed.stdout[0]!.split(" ")], "--once");
  // It has loaded the module once more, since it was started twice to print.
  assertEquals([worked.code, worked.stdout], [0, ["greeted", "greeted", "greeted"]], worked.stderr.join("\n"));
});

Deno.test("worker --print-permissions with --health-port has the address of the health, too", async () => {
  const args = ["worker", "--app", "tests/cli/apps/hello.ts", "--health-port", "0", "--health-host", "127.0.0.1"];
  const printed = await cli([...args, "--print-permissions"]);
  assertEquals(printed.stdout, ["--allow-net=127.0.0.1:0 --allow-read=tests,mod.ts,src"]);
  const worked = await cli([...args, "--once"], { options: ["--no-prompt", ...printed.stdout[0]!.split(" ")] });
  assertEquals(worked.code, 0, worked.stderr.join("\n"));
});

Deno.test("worker --print-permissions says why an App cannot be loaded", async () => {
  const { code, stdout, stderr } = await cli(["worker", "--app", "tests/cli/apps/broken.ts", "--print-permissions"]);
  assertEquals(stdout, []);
  assertMatch(stderr.join("\n"), /^error: Cannot load the App from "tests\/cli\/apps\/broken\.ts": .*concurency/);
  assertEquals(code, 1);
});

Deno.test("permissionFlags() writes each once, in a fixed order, as a shell takes it", () => {
  const flags = (...needed: [permission: string, value: string | null][]) =>
    permissionFlags(needed.map(([permission, value]) => ({ permission, value })), "/shop");
  assertEquals(flags(), "");
  assertEquals(
    flags(["env", "HOME"], ["net", "a:9092"], ["net", "https://b.example/c"], ["env", "HOME"], ["net", "a:9092"]),
    "--allow-net=a:9092,b.example:443 --allow-env=HOME",
  );
  assertEquals(flags(["env", "HOME"], ["env", null], ["sys", "hostname"]), "--allow-env --allow-sys=hostname");
  // A module's folder in the working directory, and the folder itself elsewhere; other files as they are.
  assertEquals(
    flags(
      ["read", "file:///shop/app.ts"],
      ["read", "/shop/jobs/mail/welcome_job.ts"],
      ["read", "/shop/jobs/data.json"],
      ["read", "file:///lib/src/more/a.js"],
      ["read", "/lib/src/b.mts"],
      ["read", "/shop/.env"],
      ["read", "a,b c.txt"],
      ["read", "../x.txt"],
      ["write", "/etc/x"],
    ),
    "'--allow-read=app.ts,jobs,/lib/src,.env,a,,b c.txt,../x.txt' --allow-write=/etc/x",
  );
  // Deno's own list holds as long as it is enough.
  assertEquals(flags(["import", "https://jsr.io/@std/cli/meta.json"]), "");
  assertEquals(
    flags(["import", "https://jsr.io/a.ts"], ["import", "http://localhost:8000/b.ts"]),
    "--allow-import=jsr.io:443,localhost:8000",
  );
});

const ALONE = `
import { activeJobTopic, App, Job } from "${new URL("mod.ts", root)}";
class GreetJob extends Job {
  perform(name) {
    console.log("hello " + name);
  }
}
const app = new App({ name: "alone", broker: "memory:", jobs: [GreetJob], topics: [activeJobTopic("default")] });
await GreetJob.performLater("you");
await app.worker().run(undefined, { once: true });
await app.close();
`;

Deno.test("the library needs no permission at all, and does not load kafkajs before it needs it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "activejob-kafka-" });
  try {
    const run = async (text: string): Promise<ChildEnd> => {
      await Deno.writeTextFile(`${folder}/main.js`, text);
      await using child = new Child([`${folder}/main.js`], { options: ["--no-prompt"] });
      return await child.ended();
    };
    const alone = await run(ALONE);
    assertEquals([alone.code, alone.stdout], [0, ["hello you"]], alone.stderr.join("\n"));
    // It would have been noticed: kafkajs looks at the environment as it is loaded.
    const loading = await run(`import "${new URL("src/broker/kafka/kafkajs.ts", root)}"; import "npm:kafkajs@2.2.4";`);
    assertMatch(loading.stderr.join("\n"), /NotCapable: Requires env access to "NODE_ENV"/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
