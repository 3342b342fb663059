/** The version of this library, as `deno.json` has it. A constant, since reading a file needs a permission. */
export const VERSION = "0.1.0";
