/**
 * Values that all copies of this library in a process share. An application may load two copies (a package of jobs needs one
 * version, the application another one), and a class of one copy must find the App of the other. The values are kept under
 * registered symbols; the number in a symbol changes with the shape of the value.
 */

/**
 * Returns a value that is made once in a process.
 *
 * @param name the name of the value
 * @param make makes it, if no copy has made it yet
 */
export function processGlobal<Value>(name: string, make: () => Value): Value {
  const key = Symbol.for(`@activejob/kafka.${name}/1`);
  const everywhere = globalThis as { [key: symbol]: Value | undefined };
  return everywhere[key] ??= make();
}
