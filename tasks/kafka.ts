/**
 * `deno task kafka start|stop|status [--port N] [--secure]`: a real Apache Kafka for development. Its topics are kept
 * until it is stopped. This file reads the command line and prints; `kafka/server.ts` does the work.
 */
import { parseArgs } from "node:util";
import { findKafka, type LocalKafka, startKafka, stopKafka } from "./kafka/server.ts";
import { UsageError } from "./requirements.ts";

const USAGE = "Usage: deno task kafka start|stop|status [--port N] [--secure]";
const ACTIONS = ["start", "stop", "status"] as const;

/** A command line. */
export interface Line {
  readonly action: typeof ACTIONS[number];
  /** The port; 0 selects a free one. */
  readonly port: number;
  readonly secure: boolean;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

/**
 * Reads a command line.
 *
 * @throws {UsageError} for an option, a word or a port that it does not take
 */
export function readLine(args: readonly string[]): Line | "help" {
  const { values, positionals: [word, ...more] } = parse(args);
  if (values.help) return "help";
  const action = ACTIONS.find((known) => known === word);
  if (action === undefined || more.length > 0) throw new UsageError(USAGE);
  const { port = "9092", secure = false } = values;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new UsageError(`Cannot read --port: it must be a port number, but it is "${port}"`);
  }
  return { action, port: Number(port), secure };
}

function parse(args: readonly string[]) {
  const options = {
    help: { type: "boolean", short: "h" },
    port: { type: "string" },
    secure: { type: "boolean" },
  } as const;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // An unknown option, or one without its value: Node adds advice behind the first sentence.
    const [message] = (error as Error).message.split(". ");
    throw new UsageError(`${message}\n${USAGE}`, { cause: error });
  }
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const line = readLine(args);
    if (line !== "help") return await act(line);
    console.log(USAGE);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    return 2;
  }
}

async function act({ action, port, secure }: Line): Promise<number> {
  switch (action) {
    case "start":
      return await start(port, secure);
    case "stop": {
      const stopped = await stopKafka(port);
      console.log(
        stopped ? `Kafka on port ${port} is stopped; its topics are gone` : `There is no Kafka on port ${port}`,
      );
      return 0;
    }
    case "status": {
      const kafka = await findKafka(port);
      if (kafka === null) {
        console.error(`There is no Kafka on port ${port}`);
        return 1;
      }
      print(kafka);
      return 0;
    }
  }
}

async function start(port: number, secure: boolean): Promise<number> {
  try {
    print(await startKafka({ port, secure }));
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

function print(kafka: LocalKafka): void {
  console.log(`BROKER_URL=kafka://${kafka.brokers}`);
  if (kafka.secureBrokers !== undefined) {
    console.log(`SASL_SSL ${kafka.secureBrokers} user ${kafka.username} password ${kafka.password}`);
    console.log(`CA ${kafka.folder}/ca.pem`);
  }
}
