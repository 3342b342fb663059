/**
 * What all copies of this library in a process have in common. An application may end up with two copies (a package of
 * jobs asks for one version, the application for another), and a class of one copy must find the App of the other. So it is
 * kept under a registered symbol; the number in it changes with the shape of what is kept.
 */

/**
 * A value that is made once in a process.
 *
 * @param name what it is
 * @param make makes it, where no copy has made it yet
 */
export function processGlobal<Value>(name: string, make: () => Value): Value {
  const key = Symbol.for(`@activejob/kafka.${name}/1`);
  const everywhere = globalThis as { [key: symbol]: Value | undefined };
  return everywhere[key] ??= make();
}
