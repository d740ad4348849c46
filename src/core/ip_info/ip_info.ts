/**
 * Where addresses of users are from: asked of the provider that the settings name, in the background.
 *
 * @module
 */
import { messageOf, NodePassError } from "../../errors.ts";
import type { CoreParts } from "../parts.ts";
import { Enrichment } from "./enrichment.ts";
import { IpApi } from "./ip_api.ts";
import { Ipinfo } from "./ipinfo.ts";
import type { IpInfoProvider } from "./types.ts";

/** New addresses wait no longer than this. Others are asked about again once they are a day old. */
const EVERY_MS = 600_000;

/** What address data need. */
export type IpInfoParts = Pick<CoreParts, "runtime" | "logger" | "settings" | "db" | "jobs" | "metrics">;

/** Options for tests. */
export interface IpInfoOptions {
  /** Start of the URL instead of the provider's own. */
  readonly base?: string;
}

/**
 * Looks addresses up from now until the jobs are closed.
 *
 * @throws {NodePassError} code `usage` for a file that is no database of addresses
 */
export async function startIpInfo(parts: IpInfoParts, { base }: IpInfoOptions = {}): Promise<void> {
  const { runtime, logger, jobs, settings: { ipInfo } } = parts;
  if (ipInfo.provider === "none") return;
  const options = { runtime, ...base === undefined ? {} : { base } };
  const providers: IpInfoProvider[] = [];
  let refresh = (): Promise<void> => Promise.resolve();
  if (ipInfo.mmdbPath !== null) {
    const { mmdb, load } = await openMmdb(ipInfo.mmdbPath, parts);
    providers.push(mmdb);
    refresh = load;
  }
  if (ipInfo.provider === "ipinfo") providers.push(new Ipinfo(ipInfo.ipinfoToken, options));
  if (ipInfo.provider === "ip-api") {
    providers.push(new IpApi(ipInfo.ipApiKey, options));
    if (ipInfo.ipApiKey === null) {
      logger.warn("Addresses of users go to ip-api.com in plaintext, and not for commerce: IP_API_KEY is not set");
    }
  }
  const enrichment = new Enrichment(parts, providers);
  jobs.every("ip info", EVERY_MS, async (signal) => {
    await refresh();
    await enrichment.run(signal);
  });
}

/** Loaded where it is needed alone. */
async function openMmdb(
  path: string,
  { runtime, logger }: IpInfoParts,
): Promise<{ mmdb: IpInfoProvider; load(): Promise<void> }> {
  const { Mmdb } = await import("./mmdb.ts");
  const mmdb = new Mmdb(path, runtime);
  try {
    await mmdb.load();
  } catch (error) {
    throw new NodePassError(
      "usage",
      `Environment variable MMDB_PATH is ${JSON.stringify(path)}: expected a database of addresses (${
        messageOf(error)
      })`,
      { cause: error },
    );
  }
  const load = async (): Promise<void> => {
    try {
      await mmdb.load();
    } catch (error) {
      logger.warn("The new database of addresses is not used", { path, reason: messageOf(error) });
    }
  };
  return { mmdb, load };
}
