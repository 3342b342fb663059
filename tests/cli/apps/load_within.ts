/** A program that loads an App within 50 ms, whose module never ends. */
import { loadApp } from "../../../src/cli/load_app.ts";

try {
  await loadApp("tests/cli/apps/never_loads.ts", 50);
} catch (error) {
  console.log((error as Error).message);
  Deno.exit(1);
}
