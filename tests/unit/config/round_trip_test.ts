import fc from "fast-check";
import { defaultSettings } from "../../../src/config/settings.ts";
import { formatTunnelUrl, fullUrl, parseTunnelUrl, redactUrl } from "../../../src/config/tunnel_url.ts";
import type { TunnelConfig } from "../../../src/config/types.ts";
import { NodePassError } from "../../../src/errors.ts";
import { deepEqual, equal, ok, test } from "../../harness.ts";

const options = { settings: defaultSettings, strict: true };

/** Parts of a configuration that can be compared, the key in clear. */
function comparable(config: TunnelConfig): Record<string, unknown> {
  return { ...config, key: { origin: config.key.origin, text: config.key.secret.reveal() } };
}

const ip = fc.oneof(fc.ipV4(), fc.ipV6().map((text) => `[${text}]`));
const host = fc.oneof(
  ip,
  fc.constantFrom("", "localhost", "a.example.com", "x_y-z", "[fe80::1%25eth0]", "[fe80::1%eth0]"),
);
const port = fc.integer({ min: 1, max: 65_535 });
const key = fc.oneof(fc.string({ unit: "grapheme", minLength: 1 }), fc.string({ unit: "binary", minLength: 1 }))
  .map((text) => encodeURIComponent(text.toWellFormed()));
const duration = fc.oneof(
  fc.nat(100_000).map(String),
  fc.tuple(fc.nat(500), fc.constantFrom("ms", "s", "m", "h")).map(([count, unit]) => `${count}${unit}`),
);
const ranges = fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.tuple(fc.ipV4(), fc.nat(32)).map(([a, n]) => `${a}/${n}`)), {
  minLength: 1,
  maxLength: 4,
}).map((entries) => entries.join(","));
const count = fc.integer({ min: 1, max: 2 ** 31 - 1 }).map(String);
const path = fc.string({ minLength: 1, unit: "grapheme" }).map((text) => encodeURIComponent(text.toWellFormed()));
const shared = {
  log: fc.constantFrom("none", "debug", "info", "warn", "error", "event", "trace"),
  wire: fc.constantFrom("secure", "1.14"),
  mode: fc.constantFrom("0", "1", "2"),
  type: fc.constantFrom("0", "2"),
  path: fc.constantFrom("/", "/ws", "/a/b%20c".replace("%20", "-"), "/%26x"),
  read: duration,
  rate: fc.nat(100_000).map(String),
  slot: fc.nat(100_000).map(String),
  proxy: fc.constantFrom("0", "1", "2"),
  block: fc.constantFrom("0", "1", "32", "123", "11"),
  notcp: fc.constantFrom("0", "1"),
  dial: fc.oneof(fc.constant("auto"), fc.ipV4().filter((text) => text !== "0.0.0.0")),
  dns: duration,
  lbs: fc.constantFrom("0", "1", "2"),
  allow: ranges,
  deny: ranges,
};
const none = { requiredKeys: [] };
const server = fc.oneof(
  fc.record({ ...shared, tls: fc.constantFrom("0", "1"), max: count, trusted: ranges }, none),
  fc.record({ ...shared, tls: fc.constant("2"), crt: path, key: path }, { requiredKeys: ["tls", "crt", "key"] }),
);
const client = fc.record({
  ...shared,
  tls: fc.constantFrom("0", "1", "2"),
  crt: path,
  sni: fc.constantFrom("a.b", "none", "10.0.0.1"),
  min: count,
}, none);

const url = fc.oneof(
  fc.tuple(fc.constant("server"), server),
  fc.tuple(fc.constant("client"), client),
).chain(([role, query]) =>
  fc.tuple(key, host, port, fc.array(fc.tuple(host, port), { minLength: 1, maxLength: 3 })).map(
    ([key, host, port, targets]) => {
      const list = targets.map(([host, port]) => `${host}:${port}`).join(",");
      // Links of 1.14 are TCP.
      const said = Object.entries(query).filter(([name]) => name !== "type" || query.wire !== "1.14");
      const text = said.map(([name, value]) => `${name}=${value}`).join("&");
      return `${role}://${key}@${host}:${port}/${list}?${text}`;
    },
  )
);

/** A configuration, or null for the few generated URLs whose target is their own tunnel address. */
function parse(text: string): TunnelConfig | null {
  try {
    return parseTunnelUrl(text, options).config;
  } catch (error) {
    if (error instanceof NodePassError && error.message.includes("in a circle")) return null;
    throw error;
  }
}

test("formatTunnelUrl() and fullUrl() read back as the same configuration", () => {
  fc.assert(
    fc.property(url, (text) => {
      const config = parse(text);
      if (config === null) return;
      for (const format of [formatTunnelUrl, fullUrl]) {
        const again = parseTunnelUrl(format(config, { redact: false }), options);
        deepEqual(comparable(again.config), comparable(config));
        equal(format(again.config, { redact: false }), format(config, { redact: false }));
      }
    }),
    { numRuns: 300 },
  );
});

test("formatTunnelUrl() with redact, and redactUrl(), show no key", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9]{12,20}$/), host, port, (key, host, port) => {
      const text = `client://${key}@${host}:${port}/a.example:${port === 1 ? 2 : 1}?mode=2`;
      const config = parse(text);
      ok(config !== null);
      for (
        const shown of [formatTunnelUrl(config, { redact: true }), fullUrl(config, { redact: true }), redactUrl(text)]
      ) {
        ok(!shown.includes(key), shown);
        ok(shown.includes("client://***@"), shown);
      }
    }),
  );
});

test("redactUrl() hides keys of whole and broken URLs in any text, and nothing else", () => {
  equal(redactUrl("no URL here a@b"), "no URL here a@b");
  equal(redactUrl("server://h:1/a:2?path=/@x"), "server://h:1/a:2?path=/@x");
  equal(redactUrl("x server://a@b@h:1/t:2 y client://k@h:1/t:2"), "x server://***@h:1/t:2 y client://***@h:1/t:2");
  for (
    const text of [
      "server://k/ey@h:1/a:2",
      "server://k?ey@h:1/a:2",
      "SERVER://key@",
      "sever://key@h",
      '{"url":"server://key@h:1"}',
    ]
  ) {
    ok(!/k\/?\??ey/.test(redactUrl(text)), redactUrl(text));
  }
});

test("parseTunnelUrl() answers with a configuration or a usage error, whatever the text", () => {
  const parts = fc.constantFrom(
    "server://",
    "client://",
    "k@",
    "@",
    "h:1",
    "[::1]:2",
    "/",
    "a:3",
    ",",
    "?",
    "&",
    "=",
    "slot",
    "%",
    "%41",
    "0",
    "tls=2",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fc.oneof(parts, fc.string()), { maxLength: 12 }).map((all) => all.join("")),
  );
  fc.assert(
    fc.property(fc.boolean(), text, (strict, text) => {
      for (const candidate of [text, `server://${text}`]) {
        try {
          parseTunnelUrl(candidate, { settings: defaultSettings, strict });
        } catch (error) {
          ok(error instanceof NodePassError && error.code === "usage", String(error));
        }
      }
    }),
    { numRuns: 500 },
  );
});
