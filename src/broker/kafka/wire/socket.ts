/** Opens sockets, plain or with TLS, and says in one line why one could not be opened. */
import net from "node:net";
import tls from "node:tls";
import type { KafkaTlsOptions } from "../options.ts";

/** `host:port` taken apart; an IPv6 address is in brackets. */
export function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), port: Number(address.slice(colon + 1)) };
}

/** Joins host and port to an address. */
export function joinAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Opens a socket.
 *
 * @param address `host:port`
 * @param ssl options of TLS, `false` for none
 * @param onConnect called once data may be written: with TLS after its handshake
 */
export function openSocket(address: string, ssl: boolean | KafkaTlsOptions, onConnect: () => void): net.Socket {
  const { host, port } = splitAddress(address);
  try {
    if (ssl === false) return net.connect({ host, port }, onConnect);
    // A certificate is issued to a name; an address cannot be asked for by SNI.
    const name = net.isIP(host) ? {} : { servername: host };
    return tls.connect({ host, port, ...name, ...(ssl === true ? {} : ssl as tls.ConnectionOptions) }, onConnect);
  } catch (error) {
    // A port that cannot be one, or a certificate that is damaged: an error of the socket like any other.
    return new net.Socket().destroy(error as Error);
  }
}

/** A socket error, described. */
export interface SocketProblem {
  /** One line. */
  readonly problem: string;
  /** Whether trying again cannot help. */
  readonly isFinal: boolean;
  /** Whether the process lacks a permission of Deno. */
  readonly isPermission: boolean;
}

/** Describes the error of a socket. */
export function describeSocketError(error: Error, address: string, hasTls: boolean): SocketProblem {
  const { message } = error;
  // Deno denies a connection with an error class of its own, but the look-up of a name with a code that says little.
  if (error.name === "NotCapable" || message.startsWith("getaddrinfo EPERM")) {
    const problem = `the process may not connect: allow it with --allow-net=${address} ` +
      "(the brokers of a cluster are found at the addresses that the cluster advertises)";
    return { problem, isFinal: true, isPermission: true };
  }
  return { problem: hasTls ? describeTlsError(message) : message, isFinal: false, isPermission: false };
}

function describeTlsError(message: string): string {
  if (/InvalidContentType|wrong version number|packet length too long|corrupt message/i.test(message)) {
    return `the port does not speak TLS: leave "ssl" out, or use the port for TLS (${message})`;
  }
  if (/UnknownIssuer|self.signed|unable to (verify|get)|certificate|NotValidForName/i.test(message)) {
    return `the certificate was refused: ${message}`;
  }
  return message;
}

const TLS_ALERT = 0x15;
const TLS_HANDSHAKE = 0x16;

/** Guesses from the first bytes that came instead of a Kafka response what the port speaks. */
export function describeForeignBytes(bytes: Uint8Array): string {
  if ((bytes[0] === TLS_ALERT || bytes[0] === TLS_HANDSHAKE) && bytes[1] === 3) {
    return 'the port speaks TLS: set "ssl"';
  }
  const text = String.fromCharCode(...bytes);
  if (text === "HTTP") return "the port speaks HTTP, not Kafka's protocol";
  if (text.startsWith("SSH")) return "the port speaks SSH, not Kafka's protocol";
  return `the port does not speak Kafka's protocol (it sent ${JSON.stringify(text)})`;
}
