/** A master that answers what a test tells it to. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { API_KEY_ID, EMPTY_META, type InstanceView } from "../../../src/master/instance.ts";

/** The API key of every fake master. */
export const KEY = "0123456789abcdef0123456789abcdef";

/** An instance as the API shows it. */
export function view(change: Partial<InstanceView> & Pick<InstanceView, "id" | "url">): InstanceView {
  const type = change.url.startsWith("server:") ? "server" : change.url.startsWith("client:") ? "client" : "";
  return {
    alias: "",
    type,
    status: type === "" ? "" : "running",
    config: change.url,
    restart: true,
    meta: EMPTY_META,
    mode: 0,
    ping: 0,
    pool: 0,
    tcps: 0,
    udps: 0,
    tcprx: 0,
    tcptx: 0,
    udprx: 0,
    udptx: 0,
    ...change,
  };
}

/** Answers of one master. */
export class FakeMaster {
  instances: InstanceView[] = [];
  /** Addresses that a tcping reaches. */
  readonly reachable: Set<string> = new Set();
  readonly logs: Map<string, string[]> = new Map();
  /** Added to its clock. */
  aheadMs = 0;
  /** Frames of the event stream, sent to each reader at once. */
  frames: string[] = [];
  /** Event streams that are open. */
  readonly readers: Set<ServerResponse> = new Set();
  onReader: () => void = () => {};
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(): Promise<FakeMaster> {
    const master = new FakeMaster();
    await new Promise<void>((resolve) => master.#server.listen(0, "127.0.0.1", resolve));
    return master;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/api`;
  }

  /** One event as it stands in the stream. */
  static frame(type: string, instance: InstanceView | null, time: number, id = 1): string {
    const data = JSON.stringify({ type, time: new Date(time).toISOString(), instance, logs: "" });
    return `id: 7-${id}\nevent: instance\ndata: ${data}\n\n`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "", "http://master");
    response.setHeader("Date", new Date(Date.now() + this.aheadMs).toUTCString());
    const send = (status: number, body: unknown): void => {
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    };
    if (!url.pathname.startsWith("/api/v1/")) return void response.writeHead(404).end("nothing here");
    if (request.headers["x-api-key"] !== KEY) return send(401, { error: "Unauthorized: Invalid API key" });
    const path = url.pathname.slice("/api/v1".length);
    const logs = /^\/instances\/(\w+)\/logs$/.exec(path)?.[1];
    if (logs !== undefined) return send(200, this.logs.get(logs) ?? []);
    if (path === "/info") return send(200, INFO);
    if (path === "/instances") {
      return send(200, [view({ id: API_KEY_ID, url: KEY, config: INFO.mid }), ...this.instances]);
    }
    const id = /^\/instances\/(\w{8})$/.exec(path)?.[1];
    if (id !== undefined) return send(200, this.instances.find((instance) => instance.id === id));
    if (path === "/tcping") return send(200, this.#tcping(url.searchParams.get("target") ?? ""));
    if (path === "/events") return this.#events(response);
    send(404, { error: "Not found" });
  }

  #tcping(target: string): unknown {
    const connected = this.reachable.has(target);
    const error = connected ? null : `dial tcp ${target}: connect: connection refused`;
    return { target, connected, latency: 1, error };
  }

  #events(response: ServerResponse): void {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(`retry: 3000\n\n${this.frames.join("")}`);
    this.readers.add(response);
    response.on("close", () => this.readers.delete(response));
    this.onReader();
  }
}

const INFO = {
  mid: "f378ec6f25ae10fa",
  alias: "lab",
  os: "linux",
  arch: "amd64",
  ver: "1.14.0",
  impl: "nodepass-ts",
  impl_version: "1.0.0",
  tls: "0",
  cpu: 3,
  mem_total: 8_000_000_000,
  mem_used: 1_000_000_000,
  uptime: 3725,
};
