/**
 * `deno task kafka start|stop|status [--port N] [--secure]`: a real Apache Kafka for development. Its topics are kept
 * until it is stopped. This file reads the command line and prints; `kafka/server.ts` does the work.
 */
import { parseArgs } from "@std/cli/parse-args";
import { findKafka, type LocalKafka, startKafka, stopKafka } from "./kafka/server.ts";

const USAGE = "deno task kafka start|stop|status [--port N] [--secure]";

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  const flags = parseArgs(args, { boolean: ["secure"], string: ["port"] });
  const port = Number(flags.port ?? 9092);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    console.error(`Cannot read --port: it must be a port number, but it is "${flags.port}"`);
    return 2;
  }
  switch (flags._[0]) {
    case "start":
      return await start(port, flags.secure === true);
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
    default:
      console.error(USAGE);
      return 2;
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
