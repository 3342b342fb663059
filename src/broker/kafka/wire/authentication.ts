/**
 * SASL on one connection, by the exchanges of kafkajs: once when it is opened, and again before the broker's limit on the
 * age of an authentication is reached, so that the broker never closes a connection in use.
 */
import { clearTimeout, setTimeout } from "node:timers";
import { waitUntilSettled } from "../../../support/deadline.ts";
import type { KafkaSaslOptions } from "../options.ts";
import { ConnectionError } from "./errors.ts";
import { type BrokerVersions, type KafkaJsCodec, saslAuthenticator } from "./kafkajs.ts";
import { encodedBy, type EncodedRequest } from "./request.ts";
import { splitAddress } from "./socket.ts";

/** The connection that is authenticated. */
export interface AuthenticatedConnection {
  /** Deadline of an authentication, in milliseconds. */
  readonly timeoutMs: number;
  send(request: EncodedRequest<unknown>): Promise<unknown>;
  /** A later authentication failed: the connection is of no use any more. */
  failed(error: ConnectionError): void;
}

/** Share of the broker's limit after which the connection is authenticated again. */
const RENEW_AFTER = 0.7;
const MIN_RENEW_MS = 100;
/** The longest wait of a timer. */
const MAX_RENEW_MS = 2 ** 31 - 1;

/** See the module. */
export class Authentication {
  readonly #address: string;
  readonly #sasl: KafkaSaslOptions;
  readonly #versions: BrokerVersions;
  readonly #connection: AuthenticatedConnection;
  #underWay: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;
  readonly #stopped = Promise.withResolvers<void>();

  constructor(
    address: string,
    sasl: KafkaSaslOptions,
    versions: BrokerVersions,
    connection: AuthenticatedConnection,
  ) {
    this.#address = address;
    this.#sasl = sasl;
    this.#versions = versions;
    this.#connection = connection;
  }

  /** Settles when the authentication that is under way has ended, well or not; `null` while there is none. */
  get underWay(): Promise<void> | null {
    return this.#underWay;
  }

  /**
   * Authenticates.
   *
   * @throws {ConnectionError} if the broker refuses the credentials
   */
  async authenticate(): Promise<void> {
    const { host, port } = splitAddress(this.#address);
    let tokenError: ConnectionError | null = null;
    const oauthBearerProvider = async (): Promise<{ value: string }> => {
      try {
        return { value: await (this.#sasl as { token(): Promise<string> }).token() };
      } catch (cause) {
        const message = cause instanceof Error ? cause.message : String(cause);
        // Whatever issues the tokens may come back: no reason to give up.
        throw tokenError = new ConnectionError(this.#address, `there is no token: ${message}`, { cause });
      }
    };
    const authenticator = saslAuthenticator({
      // kafkajs writes its exchange into the options: each time it gets a copy.
      sasl: { ...this.#sasl, oauthBearerProvider },
      host,
      port,
      send: async (codec: KafkaJsCodec<unknown>) => {
        const response = await this.#connection.send(await encodedBy("authentication", codec));
        return await codec.response.parse(response);
      },
    }, this.#versions);
    try {
      await authenticator.authenticate();
    } catch (error) {
      if (tokenError !== null) throw tokenError;
      if (error instanceof ConnectionError) throw error;
      throw new ConnectionError(this.#address, this.#refusal(error), { isFinal: true, cause: error });
    }
    this.#renewIn(Number(authenticator.sessionLifetime));
  }

  /** The connection is closed. */
  stop(): void {
    this.#isStopped = true;
    this.#stopped.resolve();
    clearTimeout(this.#timer);
  }

  #renewIn(lifetimeMs: number): void {
    if (this.#isStopped || !(lifetimeMs > 0)) return;
    const waitMs = Math.min(Math.max(lifetimeMs * RENEW_AFTER, MIN_RENEW_MS), MAX_RENEW_MS);
    this.#timer = setTimeout(() => void this.#renew(), waitMs);
    // An idle connection does not keep the process alive.
    this.#timer.unref();
  }

  async #renew(): Promise<void> {
    const { timeoutMs } = this.#connection;
    const renewing = this.authenticate().catch((error) => this.#connection.failed(error as ConnectionError));
    // Requests wait for this one: a token that never comes must not hold them up, nor the end of the connection.
    const inTime = waitUntilSettled(Promise.race([renewing, this.#stopped.promise]), timeoutMs);
    this.#underWay = inTime.then(() => {});
    if (!await inTime) {
      const problem = `it was not authenticated again within ${timeoutMs} ms`;
      this.#connection.failed(new ConnectionError(this.#address, problem));
    }
    this.#underWay = null;
  }

  #refusal(error: unknown): string {
    const { mechanism } = this.#sasl;
    const message = error instanceof Error ? error.message : String(error);
    return `the broker refused the ${mechanism} authentication: check user, password and mechanism (${message})`;
  }
}
