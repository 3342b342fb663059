/**
 * Creates the certificates of the local Kafka's SASL_SSL listener with `openssl`: an authority, and a server
 * certificate that the authority signs. Strict TLS clients refuse an authority that is also a server, so there are two.
 */

/**
 * Creates both certificates.
 *
 * @param folder an existing folder for the files
 * @returns the authority's certificate for clients, the server's key and certificate, all as PEM, and the path of a file
 * with the server's key and certificates
 * @throws {Error} if `openssl` is missing or fails
 */
export async function createCertificates(
  folder: string,
): Promise<{ ca: string; key: string; cert: string; keystore: string }> {
  const at = (name: string) => `${folder}/${name}`;
  const newKey = ["-newkey", "rsa:2048", "-nodes"];
  await openssl([
    ...["req", "-x509", ...newKey, "-days", "30", "-subj", "/CN=Local Kafka Authority"],
    ...["-keyout", at("ca.key"), "-out", at("ca.pem")],
  ]);
  await openssl(["req", ...newKey, "-subj", "/CN=localhost", "-keyout", at("server.key"), "-out", at("server.csr")]);
  await Deno.writeTextFile(
    at("extensions"),
    "basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n",
  );
  await openssl([
    ...["x509", "-req", "-days", "30", "-in", at("server.csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key")],
    ...["-CAcreateserial", "-extfile", at("extensions"), "-out", at("server.pem")],
  ]);
  const ca = await Deno.readTextFile(at("ca.pem"));
  const key = await Deno.readTextFile(at("server.key"));
  const cert = await Deno.readTextFile(at("server.pem"));
  await Deno.writeTextFile(at("keystore.pem"), key + cert + ca, { mode: 0o600 });
  return { ca, key, cert, keystore: at("keystore.pem") };
}

async function openssl(args: readonly string[]): Promise<void> {
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("openssl", { args: [...args] }).output();
  } catch (cause) {
    throw new Error('Cannot make certificates: "openssl" is not on the PATH', { cause });
  }
  if (!output.success) {
    throw new Error(`Cannot make certificates: "openssl" failed: ${new TextDecoder().decode(output.stderr).trim()}`);
  }
}
