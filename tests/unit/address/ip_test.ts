import fc from "fast-check";
import {
  formatAddress,
  formatIp,
  isIp,
  isLinkLocal,
  isLoopback,
  isUnspecified,
  normalizeIp,
  parseIp,
  sourceKey,
} from "../../../src/address/ip.ts";
import { equal, ok, test } from "../../harness.ts";

test("parseIp() and formatIp() agree for every IPv4 and IPv6 address", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
    equal(formatIp(parseIp(formatIp(bytes)) ?? new Uint8Array(16)), formatIp(bytes));
  }));
  fc.assert(fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
    const text = formatIp(bytes);
    equal(formatIp(parseIp(text) ?? new Uint8Array(4)), text);
  }));
});

test("parseIp() accepts what the platform's URL parser accepts in brackets", () => {
  fc.assert(fc.property(fc.ipV6(), (text) => {
    const bytes = parseIp(text);
    ok(bytes !== null, text);
    // URL keeps mapped addresses in hexadecimal groups.
    if (bytes.length === 16) equal(formatIp(bytes), new URL(`http://[${text}]`).hostname.slice(1, -1));
  }));
  fc.assert(fc.property(fc.ipV4(), (text) => equal(normalizeIp(text), text)));
});

test("parseIp() refuses what is no address", () => {
  const bad = ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.+4", "0x7f.0.0.1", ":", ":::", "1::2::3"];
  bad.push("1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "12345::", "g::", "1.2.3.4::", "::1.2.3", "[::1]");
  for (const text of bad) equal(isIp(text), false, text);
});

test("normalizeIp() undoes mapping and zones, and leaves names alone", () => {
  equal(normalizeIp("::ffff:192.0.2.1"), "192.0.2.1");
  equal(normalizeIp("::FFFF:c000:0201"), "192.0.2.1");
  equal(normalizeIp("FE80::0001%eth0"), "fe80::1");
  equal(normalizeIp("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
  equal(normalizeIp("1:0:2:3:4:5:6:7"), "1:0:2:3:4:5:6:7");
  equal(normalizeIp("example.com"), "example.com");
});

test("isLoopback(), isUnspecified() and isLinkLocal() see through every spelling", () => {
  for (const ip of ["127.0.0.1", "127.255.0.9", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1"]) ok(isLoopback(ip), ip);
  for (const ip of ["128.0.0.1", "::2", "::", "localhost", ""]) ok(!isLoopback(ip), ip);
  for (const host of ["", "0.0.0.0", "::", "0::0", "::ffff:0.0.0.0"]) ok(isUnspecified(host), host);
  for (const host of ["0.0.0.1", "::1", "a"]) ok(!isUnspecified(host), host);
  for (const ip of ["169.254.1.1", "fe80::1", "febf::1%eth0", "::ffff:169.254.0.1"]) ok(isLinkLocal(ip), ip);
  for (const ip of ["169.255.1.1", "fec0::1", "::"]) ok(!isLinkLocal(ip), ip);
});

test("sourceKey() counts an IPv6 /64 as one source", () => {
  equal(sourceKey("2001:db8:1:2:3:4:5:6"), sourceKey("2001:db8:1:2::9"));
  ok(sourceKey("2001:db8:1:2::1") !== sourceKey("2001:db8:1:3::1"));
  equal(sourceKey("::ffff:192.0.2.1"), "192.0.2.1");
});

test("formatAddress() puts IPv6 in brackets", () => {
  equal(formatAddress({ host: "::1", port: 80 }), "[::1]:80");
  equal(formatAddress({ host: "", port: 80 }), ":80");
});
