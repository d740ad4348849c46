/**
 * The API of a master: can it be reached, is the key right, is the connection safe, does its clock run right.
 *
 * @module
 */
import { isLoopback } from "../../address/ip.ts";
import { formatDuration } from "../../config/duration.ts";
import { messageOf, NodePassError } from "../../errors.ts";
import { escapeValue } from "../../log/escape.ts";
import type { InstanceView } from "../../master/instance.ts";
import type { Runtime } from "../../runtime/types.ts";
import { type ApiAnswer, ApiClient, type MasterInfo, refused } from "../api_client.ts";
import type { ApiTarget } from "../api_flags.ts";
import { certificateFindings } from "./certificate.ts";
import { broken, doubtful, type Finding, fine, type Section } from "./finding.ts";

/** A master whose API answers. */
export interface Master {
  readonly api: ApiClient;
  readonly info: MasterInfo;
  readonly instances: readonly InstanceView[];
  /** Its clock ahead of ours, in ms, to about a second; null when it did not say. */
  readonly aheadMs: number | null;
}

/** Beyond this, log lines of two machines cannot be laid side by side. */
export const CLOCK_WARNING_MS = 5_000;

/** Looks at a master from here. */
export async function examineMaster(
  target: ApiTarget,
  runtime: Runtime,
): Promise<{ readonly master: Master | null; readonly section: Section }> {
  const api = new ApiClient(target, runtime);
  const findings: Finding[] = [];
  const section: Section = { subject: `Master at ${api.name}`, findings };
  if (target.base.protocol === "https:") findings.push(...await apiCertificate(target, runtime));
  let answer: ApiAnswer;
  try {
    answer = await api.request("GET", "/info");
  } catch (error) {
    findings.push(unreachable(error, target));
    return { master: null, section };
  }
  const info = answer.body as MasterInfo | null;
  if (answer.status !== 200 || typeof info?.mid !== "string") {
    findings.push(...notServed(answer, api));
    return { master: null, section };
  }
  const version = info.impl_version === undefined ? `version ${info.ver}` : `${info.impl} ${info.impl_version}`;
  const named = info.alias === "" ? info.mid : `"${info.alias}" (${info.mid})`;
  findings.push(fine("api", `${escapeValue(named)} answers in ${Math.round(answer.ms)} ms, ${escapeValue(version)}`));
  findings.push(fine("api key", "accepted"), ...openToReaders(target));
  const aheadMs = answer.date === null ? null : answer.date - (runtime.clock.wall() - answer.ms / 2);
  findings.push(...clockFindings(aheadMs));
  try {
    return { master: { api, info, instances: await api.instances(), aheadMs }, section };
  } catch (error) {
    findings.push(broken("api", messageOf(error), "look at the master's log"));
    return { master: null, section };
  }
}

function unreachable(error: unknown, target: ApiTarget): Finding {
  const code = error instanceof NodePassError ? error.code : "io";
  const { host } = target.base;
  const advice = {
    connection_refused: `nothing listens at ${host}: start the master there, or correct host and port`,
    name_not_found: "the name does not resolve: correct the host",
    timed_out: "packets vanish: open the port in the firewall, or correct the host",
    unreachable: "no route: correct the host, or look at the network",
    certificate: 'the certificate is not trusted: give its authority with --ca, or -k for a master with "tls=1"',
    permission_denied: "https needs --allow-sys on Deno, to read the system's certificate authorities",
    protocol: "the other side speaks something else: try http:// in place of https://, or the other way round",
    connection_reset: "the other side breaks off: try https:// in place of http://, or the other way round",
  }[code as string] ?? "look at the master's log and at the address";
  return broken("api", messageOf(error), advice);
}

function notServed(answer: ApiAnswer, api: ApiClient): Finding[] {
  const text = messageOf(refused("GET /info", api.name, answer));
  if (answer.status === 401) {
    return [
      fine("api", "answers"),
      broken("api key", text, 'give that one; "nodepass state key --rotate" makes another'),
    ];
  }
  if (answer.status === 429) return [fine("api", "answers"), broken("api key", text, "then try the right one")];
  return [broken("api", text, "give the address as the master prints it, with the prefix of its URL (usually /api)")];
}

function openToReaders({ base }: ApiTarget): Finding[] {
  const host = base.hostname.replace(/^\[|\]$/g, "");
  if (base.protocol === "https:" || host === "localhost" || isLoopback(host)) return [];
  return [
    doubtful(
      "api",
      "plain HTTP: the API key and the keys of all tunnels can be read on the way",
      "start the master with tls=2 and a certificate, or reach it through a tunnel or a proxy that speaks https",
    ),
  ];
}

async function apiCertificate({ base, verify }: ApiTarget, runtime: Runtime): Promise<Finding[]> {
  const host = base.hostname.replace(/^\[|\]$/g, "");
  const port = Number(base.port || 443);
  const name = host;
  const found = await certificateFindings({ host, port, name, runtime }).catch(() => []);
  if (verify) return found;
  return [
    ...found.filter(({ level }) => level !== "error"),
    doubtful(
      "certificate",
      "not checked, as -k asks: whoever sits on the way gets the API key",
      "use --ca where you can",
    ),
  ];
}

function clockFindings(aheadMs: number | null): Finding[] {
  if (aheadMs === null) return [];
  const off = Math.abs(aheadMs);
  if (off <= CLOCK_WARNING_MS) return [fine("clock", "within 5 s of this machine's")];
  const text = `${formatDuration(Math.round(off / 1000) * 1000)} ${aheadMs > 0 ? "ahead of" : "behind"} this machine's`;
  return [doubtful("clock", text, "synchronise both (timedatectl set-ntp true): certificates are judged by the clock")];
}
