/**
 * `deno run --allow-read=deno.json tasks/check_tag.ts v0.1.0`: fails unless the tag is the version in `deno.json`, so that
 * nothing is published under a version that it does not say of itself.
 */

/** @returns what is wrong with the tag, `null` if nothing is */
export function wrongTag(tag: string, version: string): string | null {
  return tag === `v${version}`
    ? null
    : `Cannot publish: the tag is "${tag}", but the version in deno.json asks for "v${version}"`;
}

if (import.meta.main) {
  const { version } = JSON.parse(Deno.readTextFileSync("deno.json"));
  const wrong = wrongTag(Deno.args[0] ?? "", version);
  if (wrong !== null) {
    console.error(wrong);
    Deno.exit(1);
  }
}
