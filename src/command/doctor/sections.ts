/**
 * Everything about one tunnel, or about one end where the other is not known.
 *
 * @module
 */
import type { InstanceView } from "../../master/instance.ts";
import type { Runtime } from "../../runtime/types.ts";
import { agreement } from "./agreement.ts";
import { certificateFindings } from "./certificate.ts";
import { broken, doubtful, type Finding, fine, type Section } from "./finding.ts";
import { instanceFindings, isDualClient, isServer, nameOf, type Patient, settled } from "./instance.ts";
import type { Pair } from "./pairs.ts";
import { entryPaths, flowOf, targetPaths, tunnelPath, tunnelPathAlone } from "./paths.ts";

/** A client that forwards by itself will have no links. */
const connected = ({ type, mode, pool }: InstanceView): boolean =>
  type === "client" && mode === 1 || mode > 0 && pool > 0;

/** Both ends of a tunnel. */
export async function pairSection(found: Pair, runtime: Runtime): Promise<Section> {
  const [server, client] = await Promise.all([
    settled(found.server, runtime.clock, connected),
    settled(found.client, runtime.clock, connected),
  ]);
  const pair = { server, client };
  const { dials, takes } = flowOf(pair);
  const findings: Finding[] = [];
  for (const patient of [server, client] as const) {
    for (const finding of await instanceFindings(patient)) {
      findings.push({ ...finding, text: `${patient.view.type} ${finding.text}` });
    }
  }
  findings.push(...agreement(pair));
  if (server.config.tls.kind === "files") {
    const { tunnel: { host, port }, serverName: name } = client.config;
    findings.push(...await certificateFindings({ host, port, name, runtime }));
  }
  findings.push(...await tunnelPath(pair), ...await targetPaths(dials));
  findings.push(...await entryPaths(takes, takes.config.targets));
  return { subject: `Tunnel: ${nameOf(client.view)} to ${nameOf(server.view)}`, findings };
}

/** A forwarder, or an end whose other end is somewhere else. */
export async function aloneSection(found: Patient, { clock }: Pick<Runtime, "clock">): Promise<Section> {
  const patient = await settled(found, clock, ({ mode }) => mode !== 0);
  const findings = [...await instanceFindings(patient), ...await otherwise(patient)];
  return { subject: nameOf(patient.view), findings };
}

async function otherwise(patient: Patient): Promise<Finding[]> {
  const { view, config } = patient;
  const elsewhere = "name the master of the other end with --api2 and --key2 to have both examined";
  if (isServer(patient)) {
    const connected = view.pool > 0
      ? fine("handshake", `a client elsewhere keeps ${view.pool} links ready`)
      : broken("handshake", "no client is connected", `create one; ${elsewhere}`);
    const reverse = view.mode === 1;
    return [
      connected,
      ...await entryPaths(patient, reverse ? config.targets : []),
      ...(reverse ? [] : await targetPaths(patient)),
    ];
  }
  if (isDualClient(patient) && view.mode !== 1) {
    return [
      doubtful("instance", "no server of the masters asked fits this client", elsewhere),
      ...await tunnelPathAlone(patient),
    ];
  }
  return [...await targetPaths(patient), ...await entryPaths(patient, [config.tunnel])];
}
