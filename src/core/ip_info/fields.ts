/**
 * Single values of what providers answer: bounded, of the right type, or absent.
 *
 * @module
 */
import type { IpInfo } from "./types.ts";

const LONGEST = 200;

/** An object of JSON; anything else reads as an empty one. */
export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : {};
}

/** Text without control characters, cut at 200 characters. */
export function text(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const clean = value.slice(0, LONGEST).toWellFormed().replace(/\p{Cc}/gu, " ").trim();
  return clean === "" ? undefined : clean;
}

/** Two letters of a country. */
export function countryCode(value: unknown): string | undefined {
  return typeof value === "string" && /^[A-Za-z]{2}$/.test(value) ? value.toUpperCase() : undefined;
}

/** Degrees, as a number or as text. */
export function degrees(value: unknown, most: 90 | 180): number | undefined {
  const number = typeof value === "string" && /^-?\d{1,3}(?:\.\d{1,12})?$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Math.abs(number) <= most ? number + 0 : undefined;
}

/** True, false, or not said. */
export function flag(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

/** True as soon as one of them is; not said when none of them was said. */
export function anyOf(...values: readonly unknown[]): boolean | undefined {
  const flags = values.map(flag).filter((each) => each !== undefined);
  return flags.length === 0 ? undefined : flags.includes(true);
}

/** Number of a network: `AS15169`, `15169`; what stands behind it is its owner. */
export function network(value: unknown): { readonly asn?: string; readonly org?: string } {
  if (typeof value === "number") return Number.isInteger(value) && value > 0 ? { asn: `AS${value}` } : {};
  const [, number, name] = /^(?:AS)?(\d{1,10})(?:\s+(.*))?$/s.exec(text(value) ?? "") ?? [];
  if (number === undefined) return {};
  const org = text(name);
  return { asn: `AS${number}`, ...org === undefined ? {} : { org } };
}

/** What is known, without the members that are not. */
export function infoOf(
  found: { readonly [K in keyof IpInfo]?: IpInfo[K] | undefined },
  provider: string,
  now: number,
): IpInfo {
  const known = Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
  return { ...known, provider, fetchedAt: new Date(now).toISOString() };
}
