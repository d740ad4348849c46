/**
 * A master whose instances are values in memory, behind the real routes and the real server.
 *
 * @module
 */
import { parseMasterUrl } from "../../../src/config/master_url.ts";
import { defaultSettings } from "../../../src/config/settings.ts";
import { ApiError } from "../../../src/http/api_error.ts";
import type { ServeLimits } from "../../../src/http/serve.ts";
import { silentLogger } from "../../../src/log/silent.ts";
import type { EventHub, FrameSink } from "../../../src/master/events/types.ts";
import { API_KEY_ID, EMPTY_META, type InstanceView } from "../../../src/master/instance.ts";
import { listenMaster, type MasterListener } from "../../../src/master/listen.ts";
import type { IfMatch, InstanceChange, InstanceRegistry, MasterParts } from "../../../src/master/parts.ts";
import { createTcping } from "../../../src/master/tcping.ts";
import type { SessionRecord } from "../../../src/report/types.ts";
import { test } from "../../harness.ts";
import { detectRuntime } from "../../../src/runtime/detect.ts";

export const KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

const session: SessionRecord = {
  ...{ id: "1", protocol: "tcp", visitor: "192.0.2.1:5000", target: "127.0.0.1:80" },
  ...{ ageMs: 12, rx: 3, tx: 4 },
};

/** Instances in memory. */
export class FakeInstances implements InstanceRegistry {
  readonly masterId = "f378ec6f25ae10fa";
  masterAlias = "";
  key: string = KEY;
  /** What was asked for, for tests that look. */
  readonly calls: string[] = [];
  readonly lastChanges: InstanceChange[] = [];
  readonly #views = new Map<string, InstanceView>();
  readonly #revisions = new Map<string, number>();
  #sessions: readonly SessionRecord[] = [session];

  list(): readonly InstanceView[] {
    return [...this.#views.values(), this.#keyView()];
  }

  get(id: string): InstanceView | null {
    return id === API_KEY_ID ? this.#keyView() : this.#views.get(id) ?? null;
  }

  revision(id: string): string {
    return `r${this.#revisions.get(id) ?? 0}`;
  }

  create({ url, alias }: { url: string; alias: string }): Promise<InstanceView> {
    if (!/^(server|client):\/\//.test(url)) return Promise.reject(new ApiError(400, "Invalid URL scheme"));
    const id = (this.#views.size + 0xac881219).toString(16);
    this.calls.push("create");
    return Promise.resolve(
      this.#put({ ...this.#keyView(), id, alias, type: "server", status: "running", url, config: url, restart: true }),
    );
  }

  patch(id: string, change: InstanceChange, ifMatch: IfMatch): Promise<InstanceView> {
    return this.#change(id, ifMatch, (view) => {
      this.lastChanges.push(change);
      const { peer, tags } = change.meta ?? {};
      const meta = { peer: { ...view.meta.peer, ...peer }, tags: tags ?? view.meta.tags };
      return { ...view, alias: change.alias ?? view.alias, restart: change.restart ?? view.restart, meta };
    });
  }

  replaceUrl(id: string, url: string, ifMatch: IfMatch): Promise<InstanceView> {
    return this.#change(id, ifMatch, (view) => ({ ...view, url, config: url }));
  }

  remove(id: string, ifMatch: IfMatch): Promise<void> {
    if (ifMatch?.(this.revision(id)) === false) return Promise.reject(new ApiError(412, "Precondition failed"));
    this.#views.delete(id);
    return Promise.resolve();
  }

  rotateKey(): Promise<InstanceView> {
    this.key = "fedcba9876543210fedcba9876543210";
    return Promise.resolve(this.#keyView());
  }

  sessions(): Promise<readonly SessionRecord[]> {
    return Promise.resolve(this.#sessions);
  }

  endSession(_: string, session: string): Promise<boolean> {
    const before = this.#sessions.length;
    this.#sessions = this.#sessions.filter(({ id }) => id !== session);
    return Promise.resolve(this.#sessions.length < before);
  }

  logs(_: string, lines: number): readonly string[] {
    return ["first", "second", "third"].slice(-lines);
  }

  setMasterAlias(alias: string): Promise<void> {
    this.masterAlias = alias;
    return Promise.resolve();
  }

  isApiKey(text: string): boolean {
    return text === this.key;
  }

  connections(): ReadonlyMap<string, number> {
    return new Map();
  }

  rejections(): ReadonlyMap<string, Readonly<Record<string, number>>> {
    return new Map();
  }

  weakKey(): boolean {
    return false;
  }

  #keyView(): InstanceView {
    return {
      ...{ id: API_KEY_ID, alias: this.masterAlias, type: "", status: "", url: this.key, config: this.masterId },
      ...{ restart: false, meta: EMPTY_META, mode: 0, ping: 0, pool: 0, tcps: 0, udps: 0 },
      ...{ tcprx: 0, tcptx: 0, udprx: 0, udptx: 0 },
    };
  }

  #put(view: InstanceView): InstanceView {
    this.#views.set(view.id, view);
    this.#revisions.set(view.id, (this.#revisions.get(view.id) ?? 0) + 1);
    return view;
  }

  #change(id: string, ifMatch: IfMatch, change: (view: InstanceView) => InstanceView): Promise<InstanceView> {
    if (ifMatch?.(this.revision(id)) === false) return Promise.reject(new ApiError(412, "Precondition failed"));
    return Promise.resolve(this.#put(change(this.#views.get(id)!)));
  }
}

/** A hub that sends one frame to each reader and keeps their sinks. */
class FakeHub implements EventHub {
  readonly sinks = new Set<FrameSink>();
  readonly dropped = 0;

  get readers(): number {
    return this.sinks.size;
  }

  emit(): void {}

  attach(sink: FrameSink, lastEventId: string | null): void {
    this.sinks.add(sink);
    sink.onClose(() => this.sinks.delete(sink));
    sink.write(`retry: 3000\n\nevent: instance\ndata: ${JSON.stringify({ lastEventId })}\n\n`);
  }

  endAll(): Promise<void> {
    for (const sink of this.sinks) sink.end();
    return Promise.resolve();
  }
}

/** All parts of a master, made for a test. */
export async function fakeParts(url = "master://127.0.0.1:0", parts: Partial<MasterParts> = {}): Promise<MasterParts> {
  const runtime = await detectRuntime();
  const settings = defaultSettings;
  const zeros = { mem_total: 0, mem_used: 0, mem_free: 0, swap_total: 0, swap_used: 0, swap_free: 0 };
  return {
    config: parseMasterUrl(url).config,
    ...{ settings, runtime, logger: silentLogger, instances: new FakeInstances(), hub: new FakeHub() },
    system: {
      sample: () => Promise.resolve({ cpu: 3, ...zeros, netrx: 0, nettx: 0, diskr: 0, diskw: 0, sysup: 7 }),
      close() {},
    },
    tcping: createTcping({ runtime, settings }),
    ready: () => true,
    startedAt: runtime.clock.now(),
    ...parts,
  };
}

/** What a fake master may differ in. */
export interface FakeMasterOptions {
  readonly url?: string;
  readonly parts?: Partial<MasterParts>;
  readonly limits?: Partial<ServeLimits>;
}

/** A fake master that listens. */
export interface FakeMaster {
  readonly parts: MasterParts;
  readonly instances: FakeInstances;
  readonly listener: MasterListener;
  readonly port: number;
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** Calls a path below `/api/v1` with the key, unless `key` says otherwise. */
  call(path: string, init?: RequestInit & { readonly key?: string | null }): Promise<Response>;
  close(): Promise<void>;
}

/** A test with a master of its own. */
export function masterTest(
  name: string,
  options: FakeMasterOptions,
  run: (master: FakeMaster) => Promise<void>,
): void {
  test(name, async () => {
    const master = await fakeMaster(options);
    try {
      await run(master);
    } finally {
      await master.close();
    }
  });
}

/** Starts one. */
export async function fakeMaster(options: FakeMasterOptions = {}): Promise<FakeMaster> {
  const parts = await fakeParts(options.url, options.parts);
  const listener = await listenMaster(parts, options.limits === undefined ? {} : { limits: options.limits });
  const scheme = parts.config.tls.kind === "plain" ? "http" : "https";
  const origin = `${scheme}://127.0.0.1:${listener.addr.port}`;
  return {
    ...{ parts, listener, origin, port: listener.addr.port, instances: parts.instances as FakeInstances },
    async call(path, { key = KEY, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (key !== null) headers.set("X-API-Key", key);
      return await fetch(`${origin}/api/v1${path}`, { ...init, headers });
    },
    async close() {
      await parts.hub.endAll();
      await listener.close();
    },
  };
}
