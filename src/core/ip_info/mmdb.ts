/**
 * A MaxMind database on this machine: nobody else learns of an address.
 *
 * @module
 */
// The reader of the package takes nothing else.
import { Buffer } from "node:buffer";
import { Reader } from "mmdb-lib";
import { messageOf } from "../../errors.ts";
import type { Runtime } from "../../runtime/types.ts";
import { anyOf, countryCode, degrees, infoOf, network, record, text } from "./fields.ts";
import type { IpInfo, IpInfoError, IpInfoProvider } from "./types.ts";

const MAX_BYTES = 1024 * 1024 * 1024;
/** Answers are stored together: more of them would keep other writers waiting. */
const MAX_BATCH = 500;

type Lookup = Pick<Reader<never>, "get" | "metadata">;

/** Reads a file in the form of MaxMind (DB-IP has it too), or the flat one of IPinfo. */
export class Mmdb implements IpInfoProvider {
  readonly name = "mmdb";
  readonly maxBatch: number = MAX_BATCH;
  readonly #path: string;
  readonly #runtime: Pick<Runtime, "clock" | "files">;
  #reader: Lookup | null = null;
  #modifiedAt = 0;

  /** Reads nothing yet. */
  constructor(path: string, runtime: Pick<Runtime, "clock" | "files">) {
    this.#path = path;
    this.#runtime = runtime;
  }

  /**
   * Reads the file, again if it changed.
   *
   * @throws {Error} when it cannot be read or is no such database: the one that was read before stays
   */
  async load(): Promise<void> {
    const { files } = this.#runtime;
    const modifiedAt = await files.modifiedAt(this.#path);
    if (this.#reader !== null && modifiedAt === this.#modifiedAt) return;
    const bytes = await files.readBytes(this.#path, MAX_BYTES);
    const reader = new Reader<never>(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    // A damaged index shows at its first use.
    reader.get("192.0.2.1");
    this.#reader = reader;
    this.#modifiedAt = modifiedAt;
  }

  nextAllowedAt(): number {
    return 0;
  }

  lookup(ips: readonly string[]): Promise<Map<string, IpInfo | IpInfoError>> {
    const now = this.#runtime.clock.wall();
    return Promise.resolve(new Map(ips.map((ip) => [ip, this.#one(ip, now)])));
  }

  #one(ip: string, now: number): IpInfo | IpInfoError {
    try {
      // A database of IPv4 alone takes the first bits of any other address for one of its own.
      const narrow = this.#reader?.metadata.ipVersion === 4 && ip.includes(":");
      const found: unknown = narrow ? null : this.#reader?.get(ip);
      return found === null || found === undefined ? { error: "not found", final: true } : infoOf(
        {
          ...placeOf(record(found)),
          ...ownerOf(record(found)),
        },
        "mmdb",
        now,
      );
    } catch (error) {
      return { error: messageOf(error), final: true };
    }
  }
}

type Found = { readonly [K in keyof IpInfo]?: IpInfo[K] | undefined };

function placeOf(row: Readonly<Record<string, unknown>>): Found {
  const [country, location] = [record(row.country), record(row.location)];
  const [region] = Array.isArray(row.subdivisions) ? row.subdivisions : [];
  return {
    country: english(country) ?? text(row.country_name) ?? longName(row.country),
    countryCode: countryCode(country.iso_code) ?? countryCode(row.country_code) ?? countryCode(row.country),
    region: english(record(region)) ?? text(row.region),
    city: english(record(row.city)) ?? text(row.city),
    lat: degrees(location.latitude ?? row.latitude ?? row.lat, 90),
    lon: degrees(location.longitude ?? row.longitude ?? row.lng, 180),
    timezone: text(location.time_zone) ?? text(row.timezone),
    postal: text(record(row.postal).code) ?? text(row.postal_code),
  };
}

function ownerOf(row: Readonly<Record<string, unknown>>): Found {
  const traits = record(row.traits);
  const asn = row.autonomous_system_number ?? traits.autonomous_system_number ?? row.asn;
  const owner = row.autonomous_system_organization ?? traits.autonomous_system_organization ?? row.as_name;
  return {
    asn: network(asn).asn,
    org: text(traits.organization) ?? text(row.organization) ?? text(owner),
    isp: text(traits.isp) ?? text(row.isp),
    mobile: traits.connection_type === "Cellular" ? true : undefined,
    proxy: anyOf(
      ...[traits.is_anonymous_proxy, traits.is_anonymous_vpn, traits.is_public_proxy, traits.is_tor_exit_node],
      ...[row.is_anonymous_proxy, row.is_anonymous_vpn, row.is_public_proxy, row.is_tor_exit_node],
    ),
    hosting: anyOf(traits.is_hosting_provider, row.is_hosting_provider),
  };
}

function english(row: Readonly<Record<string, unknown>>): string | undefined {
  return text(record(row.names).en);
}

/** IPinfo has the code or the name in the same place, depending on the file. */
function longName(value: unknown): string | undefined {
  return countryCode(value) === undefined ? text(value) : undefined;
}
