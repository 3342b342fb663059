/** `using` as a function: Node 22 cannot read the keyword, and packages for npm keep it. */

/** Keeps something until the end of the function. @returns it */
export type Keep = <T extends Disposable>(disposable: T) => T;

/** Calls a function, and then disposes of everything that it kept, the last one first. */
export async function disposing<T>(run: (keep: Keep) => T | Promise<T>): Promise<T> {
  const kept: Disposable[] = [];
  const keep: Keep = (disposable) => {
    kept.push(disposable);
    return disposable;
  };
  try {
    return await run(keep);
  } finally {
    for (const disposable of kept.reverse()) disposable[Symbol.dispose]();
  }
}
