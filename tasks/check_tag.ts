/**
 * `deno run --allow-read=deno.json tasks/check_tag.ts v0.1.0`: fails unless the tag is the version in `deno.json`, so
 * that a release is published only under its own version.
 */

/** Returns a sentence if the tag is not that of the version, or `null`. */
export function describeWrongTag(tag: string, version: string): string | null {
  return tag === `v${version}`
    ? null
    : `Cannot publish: the tag is "${tag}", but the version in deno.json asks for "v${version}"`;
}

if (import.meta.main) {
  const { version } = JSON.parse(Deno.readTextFileSync("deno.json"));
  const wrong = describeWrongTag(Deno.args[0] ?? "", version);
  if (wrong !== null) {
    console.error(wrong);
    Deno.exit(1);
  }
}
