/**
 * Why no mode worked, in words that say what to do.
 *
 * @module
 */
import { NodePassError } from "../../errors.ts";
import type { CertificateSummary } from "../../runtime/types.ts";
import type { ServerTls } from "./agreement.ts";
import { AUTHORITY_NAME } from "./certificate_authority.ts";
import { readUpTo } from "./exact_io.ts";
import { detectForeignOpening } from "./foreign_opening.ts";
import { INTERNAL_NAME } from "./identity.ts";
import type { ProvenMode, TlsPin } from "./proven_mode.ts";
import { type ServerRoute, target } from "./server_route.ts";

/** One mode that was tried. */
export interface FailedAttempt {
  readonly mode: ServerTls;
  readonly error: NodePassError;
}

/** What {@linkcode diagnose} needs to know. */
export interface DiagnosisOptions extends ServerRoute {
  readonly pin: TlsPin;
  readonly proven: ProvenMode;
}

/** Failures that a look at the server's certificate can explain. */
const EXPLICABLE: ReadonlySet<string> = new Set(["certificate", "protocol", "connection_reset", "closed", "io"]);
/** Begins like TLS, so that our own server names it rightly; the empty line makes an HTTP server answer. */
const PROBE = new Uint8Array([0x16, 0x03, 0x01, 0x00, 0x04, 0x0d, 0x0a, 0x0d, 0x0a]);

/**
 * The error to show for these attempts (one or more, the last one decided).
 *
 * Opens a connection of its own, unless the last failure speaks for itself. Never rejects.
 */
export async function diagnose(options: DiagnosisOptions, failed: readonly FailedAttempt[]): Promise<NodePassError> {
  const last = failed.at(-1)!.error;
  if (!EXPLICABLE.has(last.code) || options.signal?.aborted) return last;
  try {
    const certificate = await inspect(options);
    if (certificate === null) return await explainNoTls(options, last);
    // Where TLS is spoken, only the failures of the TLS modes mean something.
    const ofTls = failed.findLast(({ mode }) => mode !== "plain")?.error;
    return explainCertificate(options, failed, certificate) ?? ofTls ?? last;
  } catch {
    return last;
  }
}

function inspect(options: DiagnosisOptions): Promise<CertificateSummary | null> {
  const serverName = options.pin === "derived" ? INTERNAL_NAME : options.serverName;
  return options.runtime.tls.inspect({ ...target(options), serverName });
}

async function explainNoTls(options: DiagnosisOptions, last: NodePassError): Promise<NodePassError> {
  if (await answersHttp(options) && options.transport === "tcp") {
    return mismatch(
      "Server answers HTTP: for a Go NodePass server set wire=1.14 on this client, for an HTTP proxy type=2 on both ends",
      last,
    );
  }
  if (options.pin !== "discover") {
    return mismatch(
      "Server does not speak TLS: take tls out of this client's URL, or set the same tls on the server",
      last,
    );
  }
  if (options.proven.mode === "derived" || options.proven.mode === "files") {
    return mismatch(
      "Server spoke TLS before and does not now: restart this client if its tls=0 is intended",
      last,
    );
  }
  return last;
}

function explainCertificate(
  options: DiagnosisOptions,
  failed: readonly FailedAttempt[],
  certificate: CertificateSummary,
): NodePassError | null {
  const tried = (mode: ServerTls): NodePassError | undefined => failed.find((attempt) => attempt.mode === mode)?.error;
  if (certificate.issuer.includes(AUTHORITY_NAME)) {
    if (options.pin === "files") {
      return mismatch(
        "Server shows a certificate of its key: set tls=1 on this client, or tls=2 on the server",
        tried("files"),
      );
    }
    if (tried("derived")?.code !== "certificate") return null;
    return new NodePassError("wrong_key", "Server has another key: set the same key on both ends", {
      cause: tried("derived"),
    });
  }
  if (options.pin === "derived") {
    return mismatch(
      "Server shows a certificate of its own: set tls=2 on this client, or tls=1 on the server",
      tried("derived"),
    );
  }
  const cause = tried("files");
  if (cause?.code !== "certificate") return null;
  return new NodePassError("certificate", describeProblem(options, certificate), { cause });
}

function describeProblem(options: DiagnosisOptions, certificate: CertificateSummary): string {
  const { subject, issuer, names, notBefore, notAfter } = certificate;
  const { serverName } = options;
  const now = options.runtime.clock.wall();
  if (now > notAfter.getTime()) {
    return `Server's certificate expired on ${date(notAfter)}: renew it, or check the clock of this machine`;
  }
  if (now < notBefore.getTime()) {
    return `Server's certificate is valid from ${date(notBefore)}: check the clock of this machine`;
  }
  if (subject === issuer) {
    return "Server's certificate is self-signed: give its PEM with crt= on this client, or set tls=1 on the server";
  }
  if (!names.some((name) => matches(name, serverName))) {
    const shown = names.length === 0 ? subject : names.slice(0, 5).join(", ");
    return `Server's certificate is for ${shown} and not for ${serverName}: set sni= on this client to one of its names`;
  }
  return `Server's certificate comes from ${issuer}, which is not trusted here: give that authority's PEM with crt=`;
}

/** Whether something answers HTTP there. */
async function answersHttp(options: DiagnosisOptions): Promise<boolean> {
  const conn = await options.runtime.net.connect(target(options));
  const stop = (): void => conn.close();
  const timer = options.runtime.clock.after(options.timeoutMs, stop);
  options.signal?.addEventListener("abort", stop);
  if (options.signal?.aborted) stop();
  try {
    await conn.write(PROBE);
    const answer = new Uint8Array(8);
    return await readUpTo(conn, answer) === answer.length && detectForeignOpening(answer) === "http";
  } catch {
    return false;
  } finally {
    timer.cancel();
    options.signal?.removeEventListener("abort", stop);
    conn.close();
  }
}

/** Exact, or a wildcard for one label. */
function matches(pattern: string, name: string): boolean {
  const [wanted, given] = [pattern.toLowerCase(), name.toLowerCase()];
  return wanted === given || (wanted.startsWith("*.") && given.slice(given.indexOf(".")) === wanted.slice(1));
}

function date(value: Date): string {
  return value.toISOString().slice(0, 10);
}

function mismatch(message: string, cause: NodePassError | undefined): NodePassError {
  return new NodePassError("wire_mismatch", message, { cause });
}
