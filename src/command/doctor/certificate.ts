/**
 * The certificate that a TLS port shows.
 *
 * @module
 */
import { formatDuration } from "../../config/duration.ts";
import { messageOf } from "../../errors.ts";
import { escapeValue } from "../../log/escape.ts";
import type { CertificateSummary, Runtime } from "../../runtime/types.ts";
import { broken, doubtful, type Finding, fine } from "./finding.ts";

const LIMIT_MS = 5_000;
const DAY_MS = 86_400_000;
const SOON_MS = 14 * DAY_MS;

/** Which port, and what its certificate has to be. */
export interface CertificateQuestion {
  readonly host: string;
  readonly port: number;
  /** The name that is verified. */
  readonly name: string;
  readonly runtime: Pick<Runtime, "tls" | "clock">;
}

/** Looks at the port from here. */
export async function certificateFindings(question: CertificateQuestion): Promise<Finding[]> {
  const { host, port, name, runtime } = question;
  let leaf: CertificateSummary | null;
  try {
    leaf = await runtime.tls.inspect({ host, port, serverName: name, timeoutMs: LIMIT_MS });
  } catch (error) {
    const text = `cannot be looked at from here: ${messageOf(error)}`;
    return [doubtful("certificate", text, "run the doctor where the tunnel port can be reached")];
  }
  if (leaf === null) {
    return [broken("certificate", `${host}:${port} does not speak TLS`, "correct tls= or the address")];
  }
  return judged(leaf, question);
}

function judged(leaf: CertificateSummary, { name, runtime }: CertificateQuestion): Finding[] {
  const now = runtime.clock.wall();
  const findings: Finding[] = [];
  const left = leaf.notAfter.getTime() - now;
  const until = leaf.notAfter.toISOString().slice(0, 10);
  if (left <= 0) findings.push(broken("certificate", `expired on ${until}`, "renew it; it is read again by itself"));
  else if (leaf.notBefore.getTime() > now) {
    const from = leaf.notBefore.toISOString();
    findings.push(broken("certificate", `valid only from ${from} on`, "correct the clock of the machine that made it"));
  } else if (left < SOON_MS) {
    const days = formatDuration(Math.max(1, Math.floor(left / 3_600_000)) * 3_600_000);
    findings.push(doubtful("certificate", `expires in ${days}`, "renew it; it is read again by itself"));
  }
  if (!covers(leaf, name)) {
    const names = escapeValue(leaf.names.join(", ") || leaf.subject);
    findings.push(broken("certificate", `made for ${names}, not for ${name}`, "set sni= or use one for that name"));
  }
  if (findings.length === 0) findings.push(fine("certificate", `for ${name}, valid until ${until}`));
  return findings;
}

function covers({ names }: CertificateSummary, name: string): boolean {
  if (name === "none") return true;
  const wanted = name.toLowerCase();
  return names.some((text) => {
    const entry = text.replace(/^(DNS|IP Address|IP):/i, "").trim().toLowerCase();
    if (entry === wanted) return true;
    return entry.startsWith("*.") && wanted.includes(".") && wanted.slice(wanted.indexOf(".")) === entry.slice(1);
  });
}
