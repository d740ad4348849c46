/**
 * TLS on Deno: native where it can do what is asked for, `node:tls` elsewhere.
 *
 * @module
 */
import { formatAddress } from "../../address/ip.ts";
import { Deadline, withinDeadline } from "../deadline.ts";
import { toNodePassError } from "../error_map.ts";
import type { Tls, TlsConn, TlsConnectOptions } from "../types.ts";
import { UnfinishedHandshakes, unfinishedLimit } from "./unfinished_handshakes.ts";
import { openTcp } from "./net.ts";
import { lateTls } from "./node_parts.ts";
import { denoProcess } from "./process.ts";
import { DenoTlsConn } from "./tls_conn.ts";
import { openDenoTlsListener } from "./tls_listener.ts";

/** Client connections that were given up in their handshake. */
const unfinished = new UnfinishedHandshakes();

/**
 * Native client connections at a time. Each takes some 100 KB, one of `node:tls` 60 KB: the first ones are fast, many
 * are small.
 */
const NATIVE_LIMIT = 256;
let nativeConnections = 0;

/** TLS on Deno. */
export const denoTls: Tls = {
  connect: (options) => needsNode(options) ? lateTls.connect(options) : connectNative(options),
  async listen(options) {
    try {
      return await openDenoTlsListener(options, options.certificate);
    } catch (error) {
      throw toNodePassError(error, `Cannot listen on ${formatAddress(options)}`);
    }
  },
  listenUpgradable: lateTls.listenUpgradable,
  inspect: lateTls.inspect,
  serverDelaysSmallWrites: true,
};

/** Native TLS cannot show the peer's certificate, leave it unverified, choose the source address, or leave roots out. */
function needsNode(options: TlsConnectOptions): boolean {
  const { kind } = options.trust;
  if (options.wantPeerCertificate === true || options.localHost !== undefined || kind === "any") return true;
  if (unfinished.count >= unfinishedLimit || nativeConnections >= NATIVE_LIMIT) return true;
  return kind === "only" && rootsWereChanged();
}

/** `caCerts` adds to the default roots, which these variables replace by anything. */
function rootsWereChanged(): boolean {
  return denoProcess.env("DENO_CERT") !== undefined || denoProcess.env("DENO_TLS_CA_STORE") !== undefined;
}

async function connectNative(options: TlsConnectOptions): Promise<TlsConn> {
  const action = `Cannot connect to ${formatAddress(options)}`;
  const deadline = new Deadline(options);
  try {
    const tcp = await openTcp(options, deadline, action);
    const conn = new DenoTlsConn(
      await Deno.startTls(tcp, startOptions(options)),
      unfinished,
      () => nativeConnections--,
    );
    nativeConnections++;
    await withinDeadline(conn.handshake(), () => conn.close(), deadline, action);
    return conn;
  } catch (error) {
    throw toNodePassError(error, action);
  } finally {
    deadline.end();
  }
}

function startOptions({ serverName, trust }: TlsConnectOptions): Deno.StartTlsOptions {
  const caPem = trust.kind === "only" ? trust.caPem : trust.kind === "system" ? trust.extraCaPem : undefined;
  return { hostname: serverName, ...(caPem === undefined ? {} : { caCerts: [caPem] }) };
}
