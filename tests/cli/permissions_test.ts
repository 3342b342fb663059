/** Least permissions: the ones that `--print-permissions` prints, and those that the library needs. */
import { assertEquals, assertMatch } from "@std/assert";
import { formatPermissionFlags } from "../../src/cli/permissions.ts";
import { root } from "../../tasks/process.ts";
import { Child, type ChildEnd, CLI, cli } from "../support/child.ts";

/** Creates a project of a user in a temporary folder, with an import map for the library. */
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

Deno.test("worker --print-permissions prints in one line the flags that a worker needs, and performs nothing", async () => {
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
    // The module enqueues when it is loaded, and the file has the job of the run that printed.
    assertEquals(worked.stdout, broker === "memory:" ? ["greeted"] : ["greeted", "greeted"]);
    // Each flag is necessary.
    for (const flag of flags) {
      const lacking = await run(["--no-prompt", ...flags.filter((other) => other !== flag)], "--once");
      assertEquals(lacking.code, 1, `without ${flag}`);
      assertMatch(lacking.stderr.join("\n"), /Requires (env|read|write) access|readonly|unable to open/);
    }
  }
});

Deno.test("a worker that is a program of the user needs the permissions of its database only", async () => {
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
  // Printing has loaded the module twice, since it starts the program again.
  assertEquals([worked.code, worked.stdout], [0, ["greeted", "greeted", "greeted"]], worked.stderr.join("\n"));
});

Deno.test("worker --print-permissions with --health-port prints the address of the health server", async () => {
  const args = ["worker", "--app", "tests/cli/apps/hello.ts", "--health-port", "0", "--health-host", "127.0.0.1"];
  const printed = await cli([...args, "--print-permissions"]);
  assertEquals(printed.stdout, ["--allow-net=127.0.0.1:0 --allow-read=tests,mod.ts,src"]);
  const worked = await cli([...args, "--once"], { options: ["--no-prompt", ...printed.stdout[0]!.split(" ")] });
  assertEquals(worked.code, 0, worked.stderr.join("\n"));
});

Deno.test("worker --print-permissions prints why an App cannot be loaded", async () => {
  const { code, stdout, stderr } = await cli(["worker", "--app", "tests/cli/apps/broken.ts", "--print-permissions"]);
  assertEquals(stdout, []);
  assertMatch(stderr.join("\n"), /^error: Cannot load the App from "tests\/cli\/apps\/broken\.ts": .*concurency/);
  assertEquals(code, 1);
});

Deno.test("formatPermissionFlags() prints each flag once, in a fixed order, quoted for a shell", () => {
  const flags = (...needed: [permission: string, value: string | null][]) =>
    formatPermissionFlags(needed.map(([permission, value]) => ({ permission, value })), "/shop");
  assertEquals(flags(), "");
  assertEquals(
    flags(["env", "HOME"], ["net", "a:9092"], ["net", "https://b.example/c"], ["env", "HOME"], ["net", "a:9092"]),
    "--allow-net=a:9092,b.example:443 --allow-env=HOME",
  );
  assertEquals(flags(["env", "HOME"], ["env", null], ["sys", "hostname"]), "--allow-env --allow-sys=hostname");
  // A module becomes its topmost folder in the working directory, or its own folder elsewhere; other files are kept.
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
  // No flag, as long as Deno's default list is enough.
  assertEquals(flags(["import", "https://jsr.io/@std/cli/meta.json"]), "");
  assertEquals(
    flags(["import", "https://jsr.io/a.ts"], ["import", "http://localhost:8000/b.ts"]),
    "--allow-import=jsr.io:443,localhost:8000",
  );
});

Deno.test("worker --print-permissions itself needs -A, and prints so", async () => {
  for (const options of [["--no-prompt", "--allow-read"], ["--no-prompt", "--allow-read", "--allow-env"]]) {
    const { code, stderr } = await cli(["worker", "--app", "tests/cli/apps/hello.ts", "--print-permissions"], {
      options,
    });
    assertEquals(code, 1);
    assertEquals(stderr.length, 1);
    assertMatch(stderr[0]!, /^error: "--print-permissions" .*: start it with -A \(Requires \w+ access to .*\)$/);
  }
});

/** Commands that lack a permission, and their one line. */
const DENIED: readonly (readonly [args: readonly string[], options: readonly string[], error: RegExp])[] = [
  [
    ["worker", "--app", "app.ts"],
    [`--allow-read=.,${LIBRARY}`],
    /^error: Cannot load the App from "app\.ts": .* \(Requires env access to "SHOP_BROKER"\): start it with --allow-env=SHOP_BROKER; "worker --print-permissions" prints /,
  ],
  [
    ["worker", "--app", "app.ts"],
    [],
    /^error: Cannot load the App from "app\.ts": .* \(Requires read access to ".*\/app\.ts"\): start it with --allow-read=\S+\/app\.ts; /,
  ],
  ...["worker", "enqueue", "topics", "skip"].map((command) =>
    [
      [
        command,
        "--app",
        "app.ts",
        ...{ enqueue: ["GreetJob"], topics: ["apply"], skip: ["default/0@0"] }[command] ?? [],
      ],
      [`--allow-read=.,${LIBRARY}`, "--allow-env=SHOP_BROKER"],
      /^error: .*Cannot open ".*jobs\.db": this process lacks a permission .*needs --allow-read=\S+ --allow-write=\S+; /,
    ] as const
  ),
  [
    ["init", "new"],
    ["--allow-read"],
    /^error: Cannot write "deno\.json": Requires write access to ".*"; start it with --allow-write=\S+\/new$/,
  ],
  [
    ["init", "new"],
    [],
    /^error: Cannot read ".*\/new": Requires read access to ".*"; start it with --allow-read=\S+$/,
  ],
  [
    ["worker", "--app", "app.ts", "--health-port", "0"],
    [`--allow-read=.,${LIBRARY}`, "--allow-env=SHOP_BROKER", "--allow-write=jobs.db"],
    /^error: Cannot listen on 0\.0\.0\.0:0 .*: Requires net access to "0\.0\.0\.0:0"; start it with --allow-net=0\.0\.0\.0:0$/,
  ],
];

for (const [args, options, error] of DENIED) {
  Deno.test(`"${args.join(" ")}" with ${options.length} permissions prints one line with the missing flag`, async () => {
    const app = SHOP["app.ts"].replace(/\n *Deno\.readTextFileSync.*\n.*await GreetJob.*/, "");
    await using shop = await project({ ...SHOP, "app.ts": app });
    const env = { SHOP_BROKER: "sqlite:jobs.db" };
    await using child = new Child([CLI, ...args], { cwd: shop.path, options: ["--no-prompt", ...options], env });
    const { code, stderr } = await child.ended();
    const lines = stderr.filter((line) => !line.startsWith("{") && !line.startsWith("Download "));
    assertEquals([code, lines.length], [1, 1], stderr.join("\n"));
    assertMatch(lines[0]!, error);
  });
}

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

Deno.test("the library does not need a permission, and loads kafkajs only for a Kafka", async () => {
  const folder = await Deno.makeTempDir({ prefix: "activejob-kafka-" });
  try {
    const run = async (text: string): Promise<ChildEnd> => {
      await Deno.writeTextFile(`${folder}/main.js`, text);
      await using child = new Child([`${folder}/main.js`], { options: ["--no-prompt", "--no-npm"] });
      return await child.ended();
    };
    const alone = await run(ALONE);
    assertEquals([alone.code, alone.stdout], [0, ["hello you"]], alone.stderr.join("\n"));
    // Loading kafkajs would fail.
    const loading = await run(`import "${new URL("src/broker/kafka/wire/kafkajs.ts", root)}";`);
    assertMatch(loading.stderr.join("\n"), /npm/);
    assertEquals(loading.code, 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
