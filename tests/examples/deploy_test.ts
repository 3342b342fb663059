/**
 * The files of `examples/deploy`: they can be read, their command lines are those of the command line, their ports and paths
 * are those of the health server, and their queries use metrics and labels that exist. No image is built, and nothing is
 * started in a cluster.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { parser } from "npm:@prometheus-io/lezer-promql@0.307.3";
import { parse, parseAllDocuments } from "npm:yaml@2.8.1";
import { readArguments } from "../../src/cli/arguments.ts";
import type { Arguments } from "../../src/cli/command.ts";
import { readHealthAddress } from "../../src/cli/health.ts";
import { topics } from "../../src/cli/topics.ts";
import { web } from "../../src/cli/web.ts";
import { worker } from "../../src/cli/worker.ts";
import { root } from "../../tasks/process.ts";
import { rowsHeaded } from "../docs/markdown.ts";
import { Child } from "../support/child.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(path, root));
const FOLDER = "examples/deploy";
const DOCKERFILE = read(`${FOLDER}/Dockerfile`);
/** A document of Compose, Kubernetes or Prometheus. */
// deno-lint-ignore no-explicit-any
type Yaml = any;

const COMPOSE: Yaml = parse(read(`${FOLDER}/compose.yaml`), { merge: true });
const RESOURCES: Yaml[] = parseAllDocuments(read(`${FOLDER}/kubernetes.yaml`)).map((document) => {
  assertEquals(document.errors, []);
  return document.toJS();
});
const COMMANDS = new Map([worker, topics, web].map((command) => [command.name, command]));

/** The Pod Security Standard "restricted", with the user of the image. */
const RESTRICTED = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  runAsUser: 1993,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

/** The list behind an instruction of the Dockerfile. */
function listOf(instruction: string): string[] {
  return JSON.parse(new RegExp(`^${instruction} (\\[.*\\])$`, "m").exec(DOCKERFILE)![1]!);
}

/** Reads a command line of the image as `main.ts` does. */
async function readLine([name, ...rest]: readonly string[]): Promise<Arguments> {
  const command = COMMANDS.get(name!);
  assert(command !== undefined, name);
  return await readArguments(command, ["--app", "app.ts", ...rest]);
}

/** The port that a command line listens on. */
function portOf(args: Arguments, name: string): number | undefined {
  return name === "web" ? Number(args.getText("port")) : readHealthAddress(args)?.port;
}

Deno.test("compose.yaml runs real commands, probes the port of the worker, and publishes that of the dashboard", async () => {
  const { kafka, ...own } = COMPOSE.services;
  assertMatch(kafka.environment.KAFKA_ADVERTISED_LISTENERS, /\/\/kafka:9092$/);
  for (const [name, { command, build, environment, depends_on }] of Object.entries<Yaml>(own)) {
    const args = await readLine(command);
    const { context, dockerfile, args: { FOLDER: folder } } = build;
    assertEquals(new URL(`${FOLDER}/${context}/`, root).href, root.href);
    assertEquals([dockerfile, folder], [`${FOLDER}/Dockerfile`, FOLDER], name);
    assertEquals(environment.BROKER_URL, "kafka://kafka:9092");
    for (const needed of Object.keys(depends_on)) assert(needed in COMPOSE.services, needed);
    if (name === "worker") {
      assertMatch((own[name].healthcheck.test as string[]).at(-1)!, new RegExp(`:${portOf(args, name)}/livez'`));
    }
    if (name === "web") {
      assertEquals(own[name].ports, [`127.0.0.1:${portOf(args, name)}:${portOf(args, name)}`]);
      assert(args.getText("password-env")! in own[name].environment);
    }
  }
  assertEquals(Object.keys(own), ["topics", "worker", "web"]);
});

Deno.test("kubernetes.yaml runs real commands, and its probes, selectors and services fit", async () => {
  const workloads = RESOURCES.filter(({ kind }) => kind === "Deployment" || kind === "Job");
  assertEquals(workloads.map(({ metadata }) => metadata.name), ["shop-topics", "shop-worker", "shop-web"]);
  for (const { kind, spec } of workloads) {
    const { metadata: { labels }, spec: { containers: [container] } } = spec.template;
    if (kind === "Deployment") assertEquals(spec.selector.matchLabels, labels);
    assertEquals(container.securityContext, RESTRICTED, container.name);
    const args = await readLine(container.args);
    const [port] = container.ports ?? [];
    assertEquals(port?.containerPort, portOf(args, container.name));
    for (const probe of [container.livenessProbe, container.readinessProbe].filter(Boolean)) {
      assertEquals((probe.httpGet ?? probe.tcpSocket).port, port.name);
    }
    if (container.name !== "worker") continue;
    assertEquals(container.livenessProbe.httpGet.path, "/livez");
    assertEquals(container.readinessProbe.httpGet.path, "/readyz");
    assertEquals(spec.template.metadata.annotations["prometheus.io/port"], String(port.containerPort));
  }
  const labels = workloads.map(({ spec }) => spec.template.metadata.labels.app);
  const others = RESOURCES.filter(({ kind }) => kind === "Service" || kind === "PodDisruptionBudget");
  for (const { spec } of others) assert(labels.includes((spec.selector.matchLabels ?? spec.selector).app));
  assertEquals(others.length, 2);
});

Deno.test("the image's program starts with its permissions, serves the paths of the probes, and ends at TERM", async () => {
  const [deno, run, ...rest] = listOf("ENTRYPOINT");
  assertEquals([deno, run, rest.at(-1)], ["deno", "run", "main.ts"]);
  const [name, ...flags] = listOf("CMD");
  const args = await readLine([name!, ...flags]);
  assertMatch(DOCKERFILE, new RegExp(`^EXPOSE ${portOf(args, name!)} 9091$`, "m"));
  const anyPort = flags.map((flag) => flag === String(portOf(args, name!)) ? "0" : flag);
  const env = { BROKER_URL: "memory:" };
  await using child = new Child([`${FOLDER}/main.ts`, name!, ...anyPort], { options: rest.slice(0, -1), env });
  const url = (await child.line(/^Health on /)).replace("Health on ", "").replace("0.0.0.0", "127.0.0.1");
  await child.line(/Worker of group shop started/);
  for (const path of ["/livez", "/readyz"]) assertEquals(await (await fetch(url + path)).text(), "ok\n");
  child.signal("SIGTERM");
  assertEquals((await child.ended()).code, 0);
});

/** The metrics by name, with their labels; a histogram has three names. `tests/docs` compares the page with the code. */
const METRICS = new Map(
  rowsHeaded(read("docs/monitoring.md"), "Metric").flatMap(([name, labels, meaning]) => {
    const suffixes = meaning!.startsWith("histogram") ? ["_bucket", "_sum", "_count"] : [""];
    return suffixes.map((suffix) => [name! + suffix, labels!.match(/\w+/g) ?? []] as const);
  }),
);

/** Labels that Prometheus adds, and that of a histogram. */
const OTHER_LABELS = ["instance", "le"];

/** Checks a query, and returns its metrics. */
function checkQuery(expr: string, legend: string): string[] {
  parser.parse(expr).iterate({ enter: ({ type, from }) => assert(!type.isError, `${expr} at ${from}`) });
  const names = expr.match(/activejob_\w+/g) ?? [];
  for (const name of names) assert(METRICS.has(name), `${name} is not a metric: ${expr}`);
  const known = [...OTHER_LABELS, ...names.flatMap((name) => METRICS.get(name)!)];
  const used = [
    ...Array.from(expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g), ([, list]) => list!.split(", ")).flat(),
    ...Array.from(expr.matchAll(/[{,](\w+)=/g), ([, label]) => label!),
    ...Array.from(legend.matchAll(/\{\{(?: \$labels\.)?(\w+) ?\}\}/g), ([, label]) => label!),
  ];
  for (const label of used) assert(known.includes(label), `${label} is not a label of ${names}: ${expr}`);
  return names;
}

Deno.test("grafana.json shows metrics that exist, by labels that they have, in panels that do not overlap", () => {
  const dashboard = JSON.parse(read(`${FOLDER}/grafana.json`));
  const panels = dashboard.panels as {
    readonly id: number;
    readonly type: string;
    readonly gridPos: Readonly<Record<"x" | "y" | "w" | "h", number>>;
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
  const names = panels.flatMap(({ targets = [] }) =>
    targets.flatMap(({ expr, legendFormat }) => checkQuery(expr, legendFormat))
  );
  assert(new Set(names).size >= 15, String(new Set(names).size));
  assertEquals(new Set(panels.map(({ id }) => id)).size, panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => `${x + at % w} ${y + Math.floor(at / w)}`)
  );
  assertEquals(new Set(cells).size, cells.length);
  for (const { gridPos: { x, w } } of panels) assert(x + w <= 24);
  // Without any worker there are no series: a number would say "No data" in place of 0.
  const numbers = panels.filter(({ type }) => type === "stat").flatMap(({ targets = [] }) => targets);
  assertEquals(numbers.filter(({ expr }) => !expr.endsWith(" or vector(0)")), []);
});

Deno.test("alerts.yaml asks for metrics that exist, and has each alert of docs/monitoring.md", () => {
  const { groups: [{ rules }] } = parse(read(`${FOLDER}/alerts.yaml`));
  const names = rules.flatMap((rule: Yaml) => {
    assertMatch(rule.alert, /^Jobs[A-Z]\w+$/);
    const { summary, description } = rule.annotations;
    assert(summary !== undefined && description !== undefined);
    return checkQuery(rule.expr, summary + description);
  });
  // A missing worker has no series: only a topic that had one can be named.
  const [noWorker] = rules;
  assertEquals(noWorker.alert, "JobsNoWorker");
  assertMatch(noWorker.expr, /^max by \(topic\) .* unless on \(topic\) /);
  const documented = rowsHeaded(read("docs/monitoring.md"), "Alert when").flatMap(([expr]) =>
    expr!.match(/activejob_\w+/g)!
  );
  assertEquals(documented.filter((name) => !names.includes(name)), []);
});
