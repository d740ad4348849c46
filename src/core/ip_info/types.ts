/**
 * What is known about an address, and who is asked for it.
 *
 * @module
 */

/** What is known about one address. */
export interface IpInfo {
  /** Name of the country. */
  readonly country?: string;
  /** Two capital letters (ISO 3166). */
  readonly countryCode?: string;
  readonly region?: string;
  readonly city?: string;
  readonly lat?: number;
  readonly lon?: number;
  /** Name of the time zone: `Europe/Berlin`. */
  readonly timezone?: string;
  readonly postal?: string;
  /** Number of the network, as in `AS15169`. */
  readonly asn?: string;
  /** Who owns the network. */
  readonly org?: string;
  /** Who sells access to it. */
  readonly isp?: string;
  /** Name that the address resolves to. */
  readonly hostname?: string;
  readonly mobile?: boolean;
  /** VPN, proxy or relay. */
  readonly proxy?: boolean;
  /** An address of a data centre. */
  readonly hosting?: boolean;
  /** Private or reserved: nobody was asked. */
  readonly bogon?: boolean;
  /** Who said so. */
  readonly provider: string;
  /** When, as an ISO-8601 timestamp. */
  readonly fetchedAt: string;
}

/** Why nothing is known about an address. */
export interface IpInfoError {
  /** For people. */
  readonly error: string;
  /** The provider did its work: there is no use in asking again soon. Otherwise the trouble is the provider's. */
  readonly final: boolean;
}

/** Somebody who knows about addresses. */
export interface IpInfoProvider {
  readonly name: string;
  /** Addresses that one look-up takes. */
  readonly maxBatch: number;
  /** Of each address what is known or why not; rejects only when the signal aborts. */
  lookup(ips: readonly string[], signal: AbortSignal): Promise<Map<string, IpInfo | IpInfoError>>;
  /** Before this time (milliseconds since the epoch) it must not be asked. */
  nextAllowedAt(): number;
}

/** Whether it is why nothing is known. */
export function isIpInfoError(answer: IpInfo | IpInfoError): answer is IpInfoError {
  return "error" in answer;
}
