/**
 * `deno task kafka start|stop|status [--port N] [--secure]`: a real Apache Kafka for development. It keeps its topics until
 * it is stopped. The work is done in
 * `kafka/server.ts`; this file reads the command line, and prints.
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
      console.log(stopped ? `Kafka on port ${port} is stopped; its topics are gone` : `No Kafka runs on port ${port}`);
      return 0;
    }
    case "status": {
      const kafka = await findKafka(port);
      if (kafka === null) {
        console.error(`No Kafka runs on port ${port}`);
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
