/**
 * What a master tells Prometheus.
 *
 * @module
 */
import { VERSION } from "../version.ts";
import { API_KEY_ID, type InstanceView } from "./instance.ts";
import type { MasterParts } from "./parts.ts";

/** One metric: what its samples are called, how they are labelled and what they say. */
class Metric {
  readonly #name: string;
  readonly #lines: string[];

  constructor(name: string, type: "gauge" | "counter", help: string) {
    this.#name = name;
    this.#lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
  }

  add(value: number, labels: Readonly<Record<string, string>> = {}): void {
    const pairs = Object.entries(labels).map(([name, text]) => `${name}="${escapeLabel(text)}"`);
    this.#lines.push(`${this.#name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`);
  }

  toString(): string {
    return this.#lines.join("\n") + "\n";
  }
}

function escapeLabel(text: string): string {
  return text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}

/** The text for `GET /metrics`: instances by id, the rest of the master. No URL and no key is in it. */
export function metricsText({ instances, hub, runtime }: MasterParts): string {
  const views = instances.list().filter(({ id }) => id !== API_KEY_ID);
  return [
    build(runtime.name),
    gauges("nodepass_instance_up", "Whether an instance runs.", views, ({ status, alias, type }) => ({
      value: status === "running" ? 1 : 0,
      labels: { alias, type },
    })),
    gauges("nodepass_connections", "Live TCP sessions.", views, ({ tcps }) => ({ value: tcps })),
    connections(instances.connections()),
    gauges("nodepass_udp_sessions", "Live UDP sessions.", views, ({ udps }) => ({ value: udps })),
    gauges("nodepass_pool_ready", "Ready links to the other end.", views, ({ pool }) => ({ value: pool })),
    gauges("nodepass_ping_seconds", "Round trip to the other end.", views, ({ ping }) => ({ value: ping / 1_000 })),
    bytes(views),
    rejections(instances.rejections()),
    single("nodepass_sse_subscribers", "gauge", "Readers of events.", hub.readers),
    single("nodepass_sse_dropped_total", "counter", "Events that slow readers lost.", hub.dropped),
  ].join("");
}

interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

function build(runtime: string): Metric {
  const metric = new Metric("nodepass_build_info", "gauge", "The version at work, always 1.");
  metric.add(1, { version: VERSION, runtime });
  return metric;
}

function single(name: string, type: "gauge" | "counter", help: string, value: number): Metric {
  const metric = new Metric(name, type, help);
  metric.add(value);
  return metric;
}

function gauges(
  name: string,
  help: string,
  views: readonly InstanceView[],
  sample: (view: InstanceView) => Sample,
): Metric {
  const metric = new Metric(name, "gauge", help);
  for (const view of views) {
    const { value, labels } = sample(view);
    metric.add(value, { instance: view.id, ...labels });
  }
  return metric;
}

function connections(counts: ReadonlyMap<string, number>): Metric {
  const metric = new Metric("nodepass_connections_total", "counter", "TCP sessions since the master started.");
  for (const [instance, count] of counts) metric.add(count, { instance });
  return metric;
}

function bytes(views: readonly InstanceView[]): Metric {
  const metric = new Metric("nodepass_bytes_total", "counter", "Bytes of visitors, as this end sees them.");
  for (const { id, tcprx, tcptx, udprx, udptx } of views) {
    metric.add(tcprx, { instance: id, proto: "tcp", direction: "rx" });
    metric.add(tcptx, { instance: id, proto: "tcp", direction: "tx" });
    metric.add(udprx, { instance: id, proto: "udp", direction: "rx" });
    metric.add(udptx, { instance: id, proto: "udp", direction: "tx" });
  }
  return metric;
}

function rejections(counts: ReturnType<MasterParts["instances"]["rejections"]>): Metric {
  const metric = new Metric("nodepass_limit_rejections_total", "counter", "Visitors and datagrams turned away.");
  for (const [instance, reasons] of counts) {
    for (const [limit, count] of Object.entries(reasons)) metric.add(count, { instance, limit });
  }
  return metric;
}
