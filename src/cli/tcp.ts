/**
 * TCP connections that are accepted one by one, in Deno by its own functions, elsewhere by `node:net`. A listener and its
 * connections keep no process alive.
 */
import type { AddressInfo, Server, Socket } from "node:net";

/** A connection that was accepted. */
export interface TcpConnection {
  /** Reads bytes. @returns their number; `null` at the end */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes bytes. @returns the number that were written */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends the writing; reading continues. */
  closeWrite(): Promise<void>;
  /** Closes it at once: a read or a write that waits fails. */
  close(): void;
}

/** A listener. */
export interface TcpListener {
  /** The port that it listens on. */
  readonly port: number;
  /** Waits for a connection. @throws the error of the system, for example if there is no file descriptor left */
  accept(): Promise<TcpConnection>;
  /** Listens no longer: a call of `accept` that waits fails. */
  close(): void;
}

/**
 * Listens on an address.
 *
 * @throws the error of the runtime if the address is in use, or not allowed
 */
export async function listenTcp(address: { readonly hostname: string; readonly port: number }): Promise<TcpListener> {
  return "Deno" in globalThis ? listenInDeno(address) : await NodeListener.open(address);
}

function listenInDeno(address: { readonly hostname: string; readonly port: number }): TcpListener {
  const listener = Deno.listen(address);
  listener.unref();
  return {
    port: listener.addr.port,
    async accept() {
      const connection = await listener.accept();
      connection.unref();
      return connection;
    },
    close: () => listener.close(),
  };
}

class NodeListener implements TcpListener {
  readonly #server: Server;
  readonly #accepted: Socket[] = [];
  readonly #changes = new Changes();
  #error: Error | null = null;

  private constructor(server: Server) {
    this.#server = server;
    server.unref();
    server.on("connection", (socket) => {
      this.#accepted.push(socket);
      this.#changes.report();
    });
    server.on("error", (error) => {
      this.#error = error;
      this.#changes.report();
    });
    server.on("close", () => this.#changes.report());
  }

  static async open({ hostname, port }: { readonly hostname: string; readonly port: number }): Promise<NodeListener> {
    const { createServer } = await import("node:net");
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, hostname, () => {
        server.off("error", reject);
        resolve();
      });
    });
    return new NodeListener(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async accept(): Promise<TcpConnection> {
    while (true) {
      const socket = this.#accepted.shift();
      if (socket !== undefined) return new NodeConnection(socket);
      const error = this.#error;
      this.#error = null;
      if (error !== null) throw error;
      if (!this.#server.listening) throw new Error("The listener is closed");
      await this.#changes.next();
    }
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#accepted.splice(0)) socket.destroy();
    this.#changes.report();
  }
}

class NodeConnection implements TcpConnection {
  readonly #socket: Socket;
  readonly #changes = new Changes();

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.unref();
    // A failed connection is noticed at its next read or write.
    for (const event of ["readable", "end", "close", "error"]) socket.on(event, () => this.#changes.report());
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (true) {
      if (this.#socket.destroyed) throw new Error("The connection is closed");
      const { readableLength } = this.#socket;
      if (readableLength > 0) {
        const chunk: Uint8Array = this.#socket.read(Math.min(readableLength, into.length));
        into.set(chunk);
        return chunk.length;
      }
      if (this.#socket.readableEnded) return null;
      // Starts a read from the system where none is on its way.
      this.#socket.read(0);
      await this.#changes.next();
    }
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
    });
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(resolve));
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Lets one loop wait for the next change. */
class Changes {
  #wake = (): void => {};

  /** Wakes the loop. A change before the wait is not kept: the loop looks before it waits, in the same turn. */
  report(): void {
    this.#wake();
  }

  /** Waits for the next change. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }
}
