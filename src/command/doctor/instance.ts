/**
 * One instance of a master, with its URL taken apart.
 *
 * @module
 */
import { defaultSettings } from "../../config/settings.ts";
import { parseTunnelUrl, redactUrl } from "../../config/tunnel_url.ts";
import type { ClientConfig, ServerConfig, TunnelConfig } from "../../config/types.ts";
import { messageOf } from "../../errors.ts";
import { escapeValue } from "../../log/escape.ts";
import { API_KEY_ID, type InstanceView } from "../../master/instance.ts";
import type { Clock } from "../../runtime/types.ts";
import { broken, doubtful, type Finding, fine } from "./finding.ts";
import type { Master } from "./master.ts";

/** An instance that can be examined. */
export interface Patient<C extends TunnelConfig = TunnelConfig> {
  readonly master: Master;
  readonly view: InstanceView;
  readonly config: C;
}

/** Shortest key that is not called short. */
const SHORT_KEY = 16;
const LOG_LINES = 200;
/** The usual interval of reports and a bit. */
const REPORT_MS = 7_000;
const LOOK_MS = 500;

/** The instances whose URLs can be read; one finding for each of the others. */
export function patientsOf(master: Master): { patients: Patient[]; findings: Finding[] } {
  const patients: Patient[] = [];
  const findings: Finding[] = [];
  for (const view of master.instances) {
    if (view.id === API_KEY_ID) continue;
    try {
      const { config } = parseTunnelUrl(view.config || view.url, { settings: defaultSettings, strict: false });
      patients.push({ master, view, config });
    } catch (error) {
      const text = `${nameOf(view)} has a URL that cannot be read: ${messageOf(error).split("\n").join("; ")}`;
      findings.push(broken("instance", redactUrl(text), "correct its URL"));
    }
  }
  return { patients, findings };
}

/** Whether this is a server. */
export function isServer(patient: Patient): patient is Patient<ServerConfig> {
  return patient.config.role === "server";
}

/** Whether this is a client of a server, and no forwarder. */
export function isDualClient(patient: Patient): patient is Patient<ClientConfig> {
  return patient.config.role === "client" && patient.config.mode !== "single";
}

/** Type, id and alias for people. */
export function nameOf({ id, alias, type }: Pick<InstanceView, "id" | "alias" | "type">): string {
  return alias === "" ? `${type} ${id}` : `${type} ${id} "${escapeValue(alias)}"`;
}

/** An instance that has just started says so with its next report: waits for it, not for long. */
export async function settled<C extends TunnelConfig>(
  patient: Patient<C>,
  clock: Clock,
  isSettled: (view: InstanceView) => boolean,
): Promise<Patient<C>> {
  const { master } = patient;
  let { view } = patient;
  const deadline = clock.now() + REPORT_MS;
  while (view.status === "running" && !isSettled(view) && clock.now() < deadline) {
    // What somebody has to change does not pass by itself.
    if (/\bset \S+/.test(await lastTrouble({ ...patient, view }) ?? "")) break;
    await new Promise<void>((resolve) => clock.after(LOOK_MS, resolve));
    view = await master.api.get<InstanceView>(`/instances/${view.id}`).catch(() => view);
  }
  return { ...patient, view };
}

/** What can be said about an instance by itself. */
export async function instanceFindings(patient: Patient): Promise<Finding[]> {
  const { view, config } = patient;
  const findings: Finding[] = [];
  if (view.status === "stopped") findings.push(broken("instance", "is stopped", "start it"));
  else if (view.status === "error") {
    findings.push(broken("instance", await lastTrouble(patient) ?? "its last run failed", adviceFor(config)));
  } else findings.push(fine("instance", "is running"));
  if (!view.restart && view.status === "running") {
    findings.push(doubtful("instance", "does not come back with the master", "switch its restart on"));
  }
  findings.push(...keyFindings(config));
  return findings;
}

function adviceFor({ tunnel }: TunnelConfig): string {
  return `what the line says; a port that is taken shows in "ss -ltnp", here look for ${tunnel.port}`;
}

function keyFindings({ key, tunnel }: TunnelConfig): Finding[] {
  if (["127.0.0.1", "::1", "localhost"].includes(tunnel.host)) return [];
  const advice = 'make one with "nodepass keygen" and set it on both ends';
  if (key.origin === "port") return [doubtful("key", "none: whoever knows the port number can take part", advice)];
  if (key.secret.reveal().length < SHORT_KEY) return [doubtful("key", "is short and can be guessed", advice)];
  return [];
}

/** The last line of an instance's log that tells of trouble since it was connected; null without one, or without a log. */
export async function lastTrouble({ master, view }: Patient): Promise<string | null> {
  let answer: unknown;
  try {
    answer = await master.api.get(`/instances/${view.id}/logs?lines=${LOG_LINES}`);
  } catch {
    // A Go master keeps no log.
    return null;
  }
  const lines = Array.isArray(answer) ? answer : (answer as { lines?: unknown } | null)?.lines;
  if (!Array.isArray(lines)) return null;
  for (const line of lines.map(String).reverse()) {
    // deno-lint-ignore no-control-regex
    const text = line.replace(/\x1b\[\d*m/g, "");
    if (text.includes("Tunnel handshaked")) return null;
    const match = /\s(?:ERROR|WARN)\s+(.*)$/.exec(text);
    if (match !== null) return redactUrl(escapeValue(match[1]!));
  }
  return null;
}
