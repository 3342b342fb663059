/** The name of a project, which is a client id and a consumer group: from its folder's, as far as that can be one. */

/** The longest, in characters. */
const MAX_LENGTH = 200;

/**
 * Makes a name of a folder's: without accents, and with dashes for what a name cannot have. A letter that has no plain form
 * is never just left out, since nobody would know the rest: `"Größe"` would be `"gr-e"`.
 *
 * @returns such as `"my-shop"`; `null` where nothing can be made of it
 */
export function projectName(folder: string): string | null {
  const plain = folder.normalize("NFKD").replaceAll(/\p{M}/gu, "");
  if (/(?![A-Za-z0-9])[\p{L}\p{N}]/u.test(plain)) return null;
  const name = plain.replaceAll(/[^A-Za-z0-9._-]+/g, "-").replaceAll(/^[.-]+|[.-]+$/g, "");
  return name === "" ? null : name.slice(0, MAX_LENGTH);
}
