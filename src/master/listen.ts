/**
 * The listener of a master: its application behind the server that its URL asks for.
 *
 * @module
 */
import type { MasterConfig } from "../config/master_url.ts";
import { messageOf } from "../errors.ts";
import { type HttpServer, serveHttp, type ServeLimits } from "../http/serve.ts";
import type { Runtime, ServerCertificate, SocketAddress } from "../runtime/types.ts";
import { createApp } from "./app.ts";
import type { MasterParts } from "./parts.ts";
import { selfSignedCertificate } from "../wire/self_signed.ts";

/** A master that listens. */
export interface MasterListener {
  readonly addr: SocketAddress;
  /** Connections that have not sent a complete request. */
  readonly opening: number;
  /** Reads the certificate files again. Never rejects: what is wrong is logged, and the old certificate stays. */
  reload(): Promise<void>;
  /** Stops listening, lets requests come to their end within `graceMs`, then ends every connection. Idempotent. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Serves the API of a master.
 *
 * @throws {NodePassError} when it cannot listen, or its certificate cannot be used
 */
export async function listenMaster(
  parts: MasterParts,
  options: { readonly limits?: Partial<ServeLimits> } = {},
): Promise<MasterListener> {
  const { config, runtime, logger, settings } = parts;
  const app = createApp(parts);
  const certificate = await certificateOf(config, runtime);
  const server: HttpServer = await serveHttp({
    listen: config.listen,
    certificate,
    fetch: (request, connection) => app.fetch(request, connection),
    runtime,
    logger,
    ...options,
  });
  let shown = certificate;
  const reload = async (): Promise<void> => {
    if (config.tls.kind !== "files") return;
    try {
      const latest = await certificateOf(config, runtime);
      if (latest === null || latest.chainPem === shown?.chainPem && latest.keyPem === shown.keyPem) return;
      server.setCertificate(latest);
      shown = latest;
      logger.info("API certificate reloaded");
    } catch (error) {
      logger.error("API certificate not reloaded, the old one stays", { reason: messageOf(error) });
    }
  };
  const timer = config.tls.kind === "files"
    ? runtime.clock.every(settings.reloadIntervalMs, () => void reload())
    : null;
  return {
    addr: server.addr,
    get opening() {
      return server.opening;
    },
    reload,
    close(closing) {
      timer?.cancel();
      return server.close(closing);
    },
  };
}

async function certificateOf(
  { tls, listen }: MasterConfig,
  { files, random }: Pick<Runtime, "files" | "random">,
): Promise<ServerCertificate | null> {
  switch (tls.kind) {
    case "plain":
      return null;
    case "derived": {
      const named = listen.host.split("%", 1)[0] ?? "";
      return await selfSignedCertificate(
        "NodePass master",
        [...new Set(["localhost", "127.0.0.1", "::1", ...(named ? [named] : [])])],
        random,
      );
    }
    case "files": {
      const [chainPem, keyPem] = await Promise.all([files.readText(tls.files.chain), files.readText(tls.files.key)]);
      return { chainPem, keyPem };
    }
  }
}
