/**
 * TLS on `node:tls`.
 *
 * @module
 */
import { formatAddress } from "../../address/ip.ts";
import { toNodePassError } from "../error_map.ts";
import type { Tls } from "../types.ts";
import { connectTls, inspectTls } from "./tls_connect.ts";
import { openNodeTlsListener } from "./tls_listener.ts";
import { listenUpgradable } from "./upgradable_listener.ts";

/** TLS on Node. */
export const nodeTls: Tls = {
  connect: connectTls,
  async listen(options) {
    try {
      return await openNodeTlsListener(options, options.certificate);
    } catch (error) {
      throw toNodePassError(error, `Cannot listen on ${formatAddress(options)}`);
    }
  },
  listenUpgradable,
  inspect: inspectTls,
  serverDelaysSmallWrites: false,
};
