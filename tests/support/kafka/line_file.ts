/** A file to which another process appends one JSON value a line. Each read takes only what was appended since. */

/** See the module. */
export class LineFile<T> {
  /** The path of the file. */
  readonly path: string;
  readonly #lines: T[] = [];
  readonly #decoder = new TextDecoder();
  readonly #buffer = new Uint8Array(65_536);
  #file: Deno.FsFile;
  #rest = "";

  /** Creates the file. */
  constructor(path: string) {
    this.path = path;
    this.#file = Deno.openSync(path, { read: true, write: true, create: true });
  }

  /** Returns the values of all complete lines so far, the same array each time. */
  read(): readonly T[] {
    for (let size = this.#file.readSync(this.#buffer); size !== null; size = this.#file.readSync(this.#buffer)) {
      const lines = (this.#rest + this.#decoder.decode(this.#buffer.subarray(0, size), { stream: true })).split("\n");
      this.#rest = lines.pop()!;
      for (const line of lines) this.#lines.push(JSON.parse(line));
    }
    return this.#lines;
  }

  /** Closes the file; what was read stays. */
  close(): void {
    this.#file.close();
  }
}
