import { NodePassError } from "../../../src/errors.ts";
import { encodeProxyHeader } from "../../../src/relay/proxy_header.ts";
import { deepEqual, equal, test, throws } from "../../harness.ts";

const v4 = { host: "192.0.2.7", port: 56324 };
const v4Target = { host: "198.51.100.9", port: 443 };
const v6 = { host: "2001:db8::7", port: 56324 };
const v6Target = { host: "2001:db8:0:0::9", port: 443 };

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const SIGNATURE = "0d0a0d0a000d0a515549540a";
const V4_PORTS = "dc0401bb";

test("encodeProxyHeader v1 writes TCP4 and TCP6 lines", () => {
  equal(text(encodeProxyHeader("v1", "tcp", v4, v4Target)), "PROXY TCP4 192.0.2.7 198.51.100.9 56324 443\r\n");
  equal(text(encodeProxyHeader("v1", "tcp", v6, v6Target)), "PROXY TCP6 2001:db8::7 2001:db8::9 56324 443\r\n");
});

test("encodeProxyHeader v1 writes a mixed pair as IPv4-mapped IPv6", () => {
  equal(
    text(encodeProxyHeader("v1", "tcp", v4, v6Target)),
    "PROXY TCP6 ::ffff:192.0.2.7 2001:db8::9 56324 443\r\n",
  );
  equal(
    text(encodeProxyHeader("v1", "tcp", v6, v4Target)),
    "PROXY TCP6 2001:db8::7 ::ffff:198.51.100.9 56324 443\r\n",
  );
});

test("encodeProxyHeader v1 stays within the 107 bytes of the longest line", () => {
  const longest = { host: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", port: 65535 };
  equal(encodeProxyHeader("v1", "tcp", longest, longest).length, 104);
});

test("encodeProxyHeader writes an IPv4-mapped visitor as IPv4", () => {
  const mapped = { host: "::ffff:192.0.2.7", port: 56324 };
  deepEqual(encodeProxyHeader("v1", "tcp", mapped, v4Target), encodeProxyHeader("v1", "tcp", v4, v4Target));
  deepEqual(encodeProxyHeader("v2", "tcp", mapped, v4Target), encodeProxyHeader("v2", "tcp", v4, v4Target));
});

test("encodeProxyHeader v2 writes the binary header of TCP over IPv4 and IPv6", () => {
  equal(hex(encodeProxyHeader("v2", "tcp", v4, v4Target)), `${SIGNATURE}2111000cc0000207c6336409${V4_PORTS}`);
  equal(
    hex(encodeProxyHeader("v2", "tcp", v6, v6Target)),
    `${SIGNATURE}2121002420010db800000000000000000000000720010db8000000000000000000000009${V4_PORTS}`,
  );
});

test("encodeProxyHeader v2 writes a mixed pair as IPv6", () => {
  equal(
    hex(encodeProxyHeader("v2", "tcp", v4, v6Target)),
    `${SIGNATURE}2121002400000000000000000000ffffc000020720010db8000000000000000000000009${V4_PORTS}`,
  );
});

test("encodeProxyHeader v2 marks datagrams", () => {
  equal(hex(encodeProxyHeader("v2", "udp", v4, v4Target)), `${SIGNATURE}2112000cc0000207c6336409${V4_PORTS}`);
  equal(encodeProxyHeader("v2", "udp", v6, v6Target)[13], 0x22);
});

test("encodeProxyHeader refuses what the formats cannot say", () => {
  throws(() => encodeProxyHeader("v1", "udp", v4, v4Target), { code: "not_supported" });
  throws(() => encodeProxyHeader("v2", "tcp", { host: "name.example", port: 1 }, v4Target), NodePassError);
});
