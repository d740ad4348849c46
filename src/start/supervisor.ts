/**
 * What runs the instances of a master.
 *
 * @module
 */
import type { Settings } from "../config/types.ts";
import { parseTunnelUrl } from "../config/tunnel_url.ts";
import { messageOf } from "../errors.ts";
import { createLogger } from "../log/logger.ts";
import type { Logger } from "../log/types.ts";
import type { InstanceSupervisor, SupervisorEvents } from "../master/supervisor/types.ts";
import type { Counters } from "../report/types.ts";
import type { Runtime } from "../runtime/types.ts";
import type { TunnelHandle, TunnelStats } from "../tunnel/types.ts";
import { startTunnel } from "./tunnel.ts";

/** What runs instances needs. */
export interface StartSupervisorOptions {
  readonly runtime: Runtime;
  readonly settings: Settings;
  readonly logger: Logger;
  readonly engines: number;
  readonly isolation: "shared" | "process";
}

/** Runs instances in this thread. */
export function startSupervisor(options: StartSupervisorOptions, events: SupervisorEvents): InstanceSupervisor {
  const { runtime, settings } = options;
  const running = new Map<string, { handle: Promise<TunnelHandle | null>; stop: AbortController }>();
  const counters = new Map<string, Counters>();
  const report = (id: string, stats: TunnelStats): void => {
    const now = { tcprx: stats.tcpRx, tcptx: stats.tcpTx, udprx: stats.udpRx, udptx: stats.udpTx };
    const last = counters.get(id) ?? { tcprx: 0, tcptx: 0, udprx: 0, udptx: 0 };
    counters.set(id, now);
    const delta = {
      tcprx: now.tcprx - last.tcprx,
      tcptx: now.tcptx - last.tcptx,
      udprx: now.udprx - last.udprx,
      udptx: now.udptx - last.udptx,
    };
    const gauges = {
      mode: stats.modeCode,
      ping: Math.round(stats.pingMs),
      pool: stats.pool,
      tcps: stats.tcpSessions,
      udps: stats.udpSessions,
    };
    events.checkpoint(id, gauges, delta, { rejections: {}, weakKey: false });
  };
  const start = (id: string, url: string): void => {
    if (running.has(id)) return;
    const stop = new AbortController();
    const run = async (): Promise<TunnelHandle | null> => {
      await Promise.resolve();
      counters.delete(id);
      try {
        const logger = createLogger({
          level: "info",
          format: "text",
          color: false,
          write: (line) => events.log(id, line),
          wall: () => runtime.clock.wall(),
        });
        const { config } = parseTunnelUrl(url, { settings, strict: false });
        const handle = await startTunnel({ ...config, settings: { ...config.settings, workers: 1 } }, {
          runtime,
          logger,
          signal: stop.signal,
          onReport: (stats) => report(id, stats),
        });
        if (running.get(id)?.stop === stop) events.status(id, "running", "");
        return handle;
      } catch (error) {
        if (running.get(id)?.stop === stop) {
          running.delete(id);
          events.status(id, "error", messageOf(error));
        }
        return null;
      }
    };
    running.set(id, { handle: run(), stop });
  };
  const stop = async (id: string): Promise<void> => {
    const entry = running.get(id);
    running.delete(id);
    const handle = await entry?.handle;
    if (handle) {
      await handle.close({ graceMs: 0 });
      report(id, handle.stats());
    }
  };
  return {
    start,
    startAll: (list) => list.forEach(({ id, url }) => start(id, url)),
    stop: (id) => void stop(id),
    restart: (id, url) => void stop(id).then(() => start(id, url)),
    sessions: async (id) => [...(await running.get(id)?.handle)?.sessions() ?? []],
    endSession: async (id, session) => (await running.get(id)?.handle)?.endSession(session) ?? false,
    reload: () => {},
    engines: () => [],
    close: async () => void await Promise.all([...running.keys()].map(stop)),
  };
}
