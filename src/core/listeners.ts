/**
 * Both doors of Core: HTTP and gRPC, plain or inside TLS.
 *
 * @module
 */
import { formatAddress, isUnspecified } from "../address/ip.ts";
import { messageOf } from "../errors.ts";
import { type HttpServer, serveHttp, type ServeLimits } from "../http/serve.ts";
import type { Runtime, ServerCertificate, SocketAddress } from "../runtime/types.ts";
import type { Closing } from "./closing.ts";
import { type GrpcDoor, startGrpc } from "./grpc/start.ts";
import type { CoreParts } from "./parts.ts";
import type { CoreServices } from "./services.ts";

/** How long requests under way may take once Core ends. */
export const GRACE_MS = 5_000;
/** A fleet is many connections from few addresses: nodes behind one NAT, or a proxy in front of Core. */
const LIMITS: Partial<ServeLimits> = { guests: { opening: 4_096, openingPerSource: 1_024, unproven: 4_096 } };

/** Where Core listens. */
export interface Listeners {
  readonly http: SocketAddress;
  readonly grpc: SocketAddress;
  /** `http://host:port` */
  readonly httpUrl: string;
  /** Reads the certificate again, for new connections. Never rejects: what is wrong is logged, the old one stays. */
  reload(): Promise<void>;
}

/**
 * Opens both.
 *
 * @throws {NodePassError} where a port or the certificate cannot be used
 */
export async function listen(parts: CoreParts, services: CoreServices, closing: Closing): Promise<Listeners> {
  const { settings, runtime, logger } = parts;
  const tls = await tlsOf(parts);
  const http = await serveHttp({
    listen: { host: settings.host, port: settings.port },
    certificate: tls,
    clientCaPem: tls?.clientCaPem ?? null,
    fetch: (request, connection) => services.app.fetch(request, connection),
    runtime,
    logger,
    limits: LIMITS,
  });
  closing.add("HTTP", () => http.close({ graceMs: GRACE_MS }));
  const grpc = await startGrpc(parts, services.node, {
    auth: services.auth,
    intervals: services.intervals,
    host: settings.host,
    port: settings.grpcPort,
    tls,
  });
  closing.add("gRPC", () => grpc.close({ graceMs: GRACE_MS }));
  // Before the doors, which wait for calls under way.
  closing.add("event streams", () => services.feed.close());
  return listenersOf(parts, http, grpc, tls);
}

interface Tls extends ServerCertificate {
  readonly clientCaPem: string | null;
}

function listenersOf(parts: CoreParts, http: HttpServer, grpc: GrpcDoor, tls: Tls | null): Listeners {
  let shown = tls;
  const host = isUnspecified(http.addr.host) ? "127.0.0.1" : http.addr.host;
  return {
    http: http.addr,
    grpc: grpc.addr,
    httpUrl: `${tls === null ? "http" : "https"}://${formatAddress({ host, port: http.addr.port })}`,
    async reload() {
      if (shown === null) return;
      try {
        const latest = await tlsOf(parts);
        if (latest === null || latest.chainPem === shown.chainPem && latest.keyPem === shown.keyPem) return;
        http.setCertificate(latest);
        grpc.setCertificate(latest);
        shown = latest;
        parts.logger.info("Certificate reloaded");
      } catch (error) {
        parts.logger.error("Certificate not reloaded, the old one stays", { reason: messageOf(error) });
      }
    },
  };
}

async function tlsOf(
  { settings: { tls }, runtime: { files } }: {
    readonly settings: CoreParts["settings"];
    readonly runtime: Pick<Runtime, "files">;
  },
): Promise<Tls | null> {
  if (tls === null) return null;
  const [chainPem, keyPem, clientCaPem] = await Promise.all([
    files.readText(tls.certFile),
    files.readText(tls.keyFile),
    tls.clientCaFile === null ? null : files.readText(tls.clientCaFile),
  ]);
  return { chainPem, keyPem, clientCaPem };
}
