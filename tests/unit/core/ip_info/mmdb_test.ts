import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Mmdb } from "../../../../src/core/ip_info/mmdb.ts";
import { detectRuntime } from "../../../../src/runtime/detect.ts";
import { FakeClock } from "../../../fake_clock.ts";
import { deepEqual, equal, rejects, test } from "../../../harness.ts";
import { type MmdbValue, writeMmdb } from "./mmdb_writer.ts";

const runtime = { ...await detectRuntime(), clock: new FakeClock(0) };
const fetchedAt = "1970-01-01T00:00:00.000Z";
const provider = "mmdb";

async function withFile(run: (path: string, write: (bytes: Uint8Array) => void) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "nodepass-mmdb-"));
  const path = join(folder, "city.mmdb");
  let time = 1_700_000_000;
  try {
    await run(path, (bytes) => {
      writeFileSync(path, bytes);
      utimesSync(path, ++time, time);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const CITY: MmdbValue = {
  country: { iso_code: "DE", names: { en: "Germany", de: "Deutschland" } },
  subdivisions: [{ iso_code: "BE", names: { en: "Land Berlin" } }],
  city: { names: { en: "Berlin" } },
  location: { latitude: 52.5, longitude: 13.25, time_zone: "Europe/Berlin" },
  postal: { code: "10115" },
  traits: {
    autonomous_system_number: 3320,
    autonomous_system_organization: "Deutsche Telekom AG",
    is_tor_exit_node: true,
  },
};
const FLAT: MmdbValue = {
  ...{ country: "US", country_name: "United States", region: "California", city: "Mountain View" },
  ...{ latitude: "38.00881", longitude: "-122.11746", timezone: "America/Los_Angeles", postal_code: "94043" },
  ...{ asn: "AS15169", as_name: "Google LLC" },
};

test("Mmdb reads the form of MaxMind and the flat one of IPinfo, IPv4 and IPv6", () =>
  withFile(async (path, write) => {
    write(writeMmdb({ "81.0.0.0/16": CITY, "8.8.8.0/24": FLAT, "2a00:1450::/32": FLAT, "9.9.9.9/32": "nonsense" }));
    const mmdb = new Mmdb(path, runtime);
    await mmdb.load();
    const answers = await mmdb.lookup([
      "81.0.7.7",
      "8.8.8.8",
      "2a00:1450:4001::1",
      "2a00:1451::1",
      "81.1.0.0",
      "9.9.9.9",
    ]);
    deepEqual(answers.get("81.0.7.7"), {
      ...{ country: "Germany", countryCode: "DE", region: "Land Berlin", city: "Berlin", lat: 52.5, lon: 13.25 },
      ...{ timezone: "Europe/Berlin", postal: "10115", asn: "AS3320", org: "Deutsche Telekom AG", proxy: true },
      ...{ provider, fetchedAt },
    });
    const flat = {
      ...{ country: "United States", countryCode: "US", region: "California", city: "Mountain View", lat: 38.00881 },
      ...{ lon: -122.11746, timezone: "America/Los_Angeles", postal: "94043", asn: "AS15169", org: "Google LLC" },
      ...{ provider, fetchedAt },
    };
    deepEqual(answers.get("8.8.8.8"), flat);
    deepEqual(answers.get("2a00:1450:4001::1"), flat);
    deepEqual(answers.get("2a00:1451::1"), { error: "not found", final: true });
    deepEqual(answers.get("81.1.0.0"), { error: "not found", final: true });
    deepEqual(answers.get("9.9.9.9"), { provider, fetchedAt });
  }));

test("Mmdb of IPv4 alone knows no IPv6 address", () =>
  withFile(async (path, write) => {
    write(writeMmdb({ "42.0.0.0/8": FLAT }, 4));
    const mmdb = new Mmdb(path, runtime);
    await mmdb.load();
    const answers = await mmdb.lookup(["42.1.2.3", "2a00::1"]);
    equal("asn" in answers.get("42.1.2.3")!, true);
    deepEqual(answers.get("2a00::1"), { error: "not found", final: true });
  }));

test("Mmdb is read again when its file changes; a broken file changes nothing", () =>
  withFile(async (path, write) => {
    const mmdb = new Mmdb(path, runtime);
    const city = async (): Promise<unknown> =>
      ((await mmdb.lookup(["8.8.8.8"])).get("8.8.8.8") as { city?: string }).city;
    await rejects(mmdb.load());
    write(new TextEncoder().encode("no database"));
    await rejects(mmdb.load());
    write(writeMmdb({ "8.8.8.0/24": { city: "Old" } }));
    await mmdb.load();
    equal(await city(), "Old");
    const whole = writeMmdb({ "8.8.8.0/24": { city: "New" } });
    write(whole.slice(0, whole.length - 40));
    await rejects(mmdb.load());
    equal(await city(), "Old");
    write(whole);
    await mmdb.load();
    equal(await city(), "New");
  }));

test("Mmdb whose data are damaged says so for each address", () =>
  withFile(async (path, write) => {
    const bytes = writeMmdb({ "8.8.8.0/24": { city: "Here" } });
    // A pointer to itself instead of the map.
    const at = bytes.findIndex((_, index) => bytes.subarray(index, index + 16).every((byte) => byte === 0)) + 16;
    bytes.set([0x20, 0], at);
    write(bytes);
    const mmdb = new Mmdb(path, runtime);
    await mmdb.load();
    const [answer] = (await mmdb.lookup(["8.8.8.8"])).values();
    equal("error" in answer! && answer.final, true);
  }));
