/**
 * Certificate files for `tls=2`, in a folder that goes with the test.
 *
 * @module
 */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { join } from "node:path/posix";
import type { ServerCertificate } from "../../src/runtime/types.ts";
import { type Authority, createAuthority } from "../conformance/runtime_certificates.ts";

/** Paths of PEM files; disposing removes them. */
export interface CertificateFolder extends AsyncDisposable {
  readonly authority: Authority;
  /** The authority's certificate: `crt=` of a client. */
  readonly ca: string;
  /** `crt=` and `key=` of a server. */
  readonly chain: string;
  readonly key: string;
  /** Writes a new leaf over the server's files. */
  renew(names: readonly string[], ageDays?: number): Promise<void>;
  /** Writes another authority and a leaf of its over all files. */
  replaceAuthority(): Promise<void>;
  /** Writes a leaf that nobody signed but itself. */
  selfSign(name: string): Promise<void>;
}

/** The name that the leaf is for unless the test says otherwise. */
export const SERVER_NAME = "tunnel.test";

/** A fresh authority and a leaf for {@linkcode SERVER_NAME}. */
export async function certificateFolder(): Promise<CertificateFolder> {
  const authority = await createAuthority("End-to-end authority");
  const folder = await Deno.makeTempDir({ prefix: "nodepass-e2e-" });
  const [ca, chain, key] = ["ca.pem", "chain.pem", "key.pem"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const writeLeaf = async (leaf: ServerCertificate): Promise<void> => {
    await Deno.writeTextFile(chain, leaf.chainPem);
    await Deno.writeTextFile(key, leaf.keyPem);
  };
  const made: CertificateFolder = {
    authority,
    ca,
    chain,
    key,
    renew: async (names, ageDays) => await writeLeaf(await authority.issue(names, ageDays)),
    async replaceAuthority() {
      const other = await createAuthority("Another end-to-end authority");
      await Deno.writeTextFile(ca, other.caPem);
      await writeLeaf(await other.issue([SERVER_NAME]));
    },
    async selfSign(name) {
      const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
      const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
      const leaf = await x509.X509CertificateGenerator.createSelfSigned({
        serialNumber: "03",
        name: `CN=${name}`,
        keys,
        signingAlgorithm: algorithm,
        extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }])],
      });
      const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
      await Deno.writeTextFile(chain, leaf.toString("pem"));
      await Deno.writeTextFile(key, x509.PemConverter.encode(pkcs8, "PRIVATE KEY"));
    },
    async [Symbol.asyncDispose]() {
      await Deno.remove(folder, { recursive: true });
    },
  };
  await Deno.writeTextFile(ca, authority.caPem);
  await made.renew([SERVER_NAME]);
  return made;
}
