/** The name of a project, from its folder's name: client id, consumer group, and the prefix of its topics. */

/** The longest name, in characters. With the name of a queue it must fit into a topic's name, of 249. */
const MAX_LENGTH = 100;

/**
 * Converts the name of a folder: without accents, with dashes for characters that a name cannot have. A letter without a
 * plain form is never left out, since the rest would be unrecognisable: `"Größe"` would be `"gr-e"`.
 *
 * @returns for example `"my-shop"`; `null` if it cannot be converted
 */
export function toProjectName(folder: string): string | null {
  const plain = folder.normalize("NFKD").replaceAll(/\p{M}/gu, "");
  if (/(?![A-Za-z0-9])[\p{L}\p{N}]/u.test(plain)) return null;
  const name = plain.replaceAll(/[^A-Za-z0-9._-]+/g, "-").replaceAll(/^[.-]+|[.-]+$/g, "");
  return name === "" ? null : name.slice(0, MAX_LENGTH);
}
