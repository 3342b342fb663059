/**
 * The program of the image: the command line with the App of this folder. `main.ts worker --health-port 9090` is
 * `worker --app app.ts --health-port 9090`. It imports the App itself, so that it needs no permission to read modules.
 */
import { main } from "@activejob/kafka/cli";
import "./app.ts";

const [command = "help", ...rest] = Deno.args;
const app = command === "help" ? [] : ["--app", import.meta.resolve("./app.ts")];
Deno.exit(await main([command, ...app, ...rest]));
