import { defaultSettings } from "../../../src/config/settings.ts";
import { fullUrl, type ParsedTunnelUrl, parseTunnelUrl } from "../../../src/config/tunnel_url.ts";
import type { ClientConfig, ServerConfig } from "../../../src/config/types.ts";
import { NodePassError } from "../../../src/errors.ts";
import { deepEqual, equal, match, ok, test } from "../../harness.ts";

const good = "npk1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

function parse(url: string, strict = true): ParsedTunnelUrl {
  return parseTunnelUrl(url, { settings: defaultSettings, strict });
}

function server(url: string): ServerConfig {
  const { config } = parse(url);
  ok(config.role === "server");
  return config;
}

function client(url: string): ClientConfig {
  const { config } = parse(url);
  ok(config.role === "client");
  return config;
}

function findings(url: string, strict = true): string[] {
  try {
    parse(url, strict);
  } catch (error) {
    ok(error instanceof NodePassError && error.code === "usage", String(error));
    return error.message.split("\n");
  }
  throw new Error(`Expected a refusal of ${url}`);
}

test("parseTunnelUrl() fills in every default", () => {
  const { key, settings, ...rest } = server(`server://${good}@0.0.0.0:10101/127.0.0.1:8080`);
  equal(key.secret.reveal(), good);
  equal(key.origin, "url");
  equal(settings, defaultSettings);
  deepEqual(rest, {
    role: "server",
    tunnel: { host: "0.0.0.0", port: 10101 },
    targets: [{ host: "127.0.0.1", port: 8080 }],
    mode: "auto",
    log: "info",
    wire: "secure",
    transport: "tcp",
    path: "/",
    readMs: 0,
    rateBytesPerSecond: 0,
    slots: 65_536,
    proxy: "none",
    block: { socks: false, http: false, tls: false },
    tcp: true,
    udp: true,
    dialFrom: null,
    dnsTtlMs: 300_000,
    balance: "round_robin",
    allow: [],
    deny: [],
    tls: { kind: "derived" },
    maxLinks: 1024,
    maxClients: 64,
    trusted: [],
  });
  const one = client(`client://${good}@example.com:10101/127.0.0.1:80`);
  equal(one.tls, "discover");
  equal(one.serverName, "example.com");
  equal(one.minLinks, 64);
  equal(one.extraCa, null);
  equal(one.mode, "auto");
});

test("parseTunnelUrl() reads every parameter", () => {
  const config = server(
    `server://${good}@[2001:db8::1]:1/a:2?log=trace&tls=2&crt=/c.pem&key=/k.pem&mode=2&max=5&clients=7&trusted=10.0.0.0/8` +
      "&read=90&rate=8&slot=0&proxy=2&block=31&notcp=1&dial=10.0.0.1&dns=1m&lbs=2&type=2&path=/ws&allow=10.0.0.0/8,+::1&deny=10.1.1.1",
  );
  deepEqual(config.tls, { kind: "files", files: { chain: "/c.pem", key: "/k.pem" } });
  equal(config.log, "debug");
  equal(config.mode, "forward");
  equal(config.maxLinks, 5);
  equal(config.maxClients, 7);
  equal(config.trusted.length, 1);
  equal(config.readMs, 90_000);
  equal(config.rateBytesPerSecond, 1_000_000);
  equal(config.slots, 0);
  equal(config.proxy, "v2");
  deepEqual(config.block, { socks: true, http: false, tls: true });
  equal(config.tcp, false);
  equal(config.dialFrom, "10.0.0.1");
  equal(config.dnsTtlMs, 60_000);
  equal(config.balance, "source_hash");
  equal(config.transport, "websocket");
  equal(config.path, "/ws");
  equal(config.allow.length, 2);
  equal(config.deny.length, 1);
  const other = client(`client://${good}@h:1/a:2?tls=2&crt=/ca.pem&sni=x.example&min=3&mode=1`);
  equal(other.tls, "files");
  equal(other.extraCa, "/ca.pem");
  equal(other.serverName, "x.example");
  equal(other.minLinks, 3);
  equal(other.mode, "single");
  ok(Object.isFrozen(config) && Object.isFrozen(config.targets) && Object.isFrozen(config.tunnel));
});

test("parseTunnelUrl() accepts the hosts that WHATWG URL refuses", () => {
  deepEqual(server(`server://${good}@:10101/:8080`).tunnel, { host: "", port: 10101 });
  deepEqual(server(`server://${good}@[::]:10101/[fe80::1%eth0]:8080`).targets, [{ host: "fe80::1%eth0", port: 8080 }]);
  deepEqual(server(`server://${good}@[::]:10101/[fe80::1%25eth0]:8080`).targets, [{
    host: "fe80::1%eth0",
    port: 8080,
  }]);
  deepEqual(client(`client://${good}@h_1:1/ a:2 ,, b:3 ,`).targets, [{ host: "a", port: 2 }, { host: "b", port: 3 }]);
  equal(server(`  SERVER://${good}@h:0/a:1 `).tunnel.port, 0);
});

test("parseTunnelUrl() decodes the key when it decodes and keeps it as it is when not", () => {
  const key = (text: string): string => parse(`client://${text}@127.0.0.1:1/a:2`).config.key.secret.reveal();
  equal(key("p%40ss"), "p@ss");
  equal(key("a%zz"), "a%zz");
  equal(key("a@b:c"), "a@b:c");
  equal(key("a+b"), "a+b");
  equal(key("%E4%BD%A0"), "你");
  equal(key("%FF"), "%FF");
  deepEqual(findings("client://abc/def==@127.0.0.1:1/a:2"), [
    'Tunnel key contains "/" or "?": write them percent-encoded, as %2F and %3F',
  ]);
  deepEqual(findings("client://abc?def@127.0.0.1:1/a:2"), [
    'Tunnel key contains "/" or "?": write them percent-encoded, as %2F and %3F',
  ]);
});

test("parseTunnelUrl() names every finding at once, with the value and what is accepted", () => {
  const found = findings(
    "server://k@127.0.0.1:70000/nope,1.2.3:4?slot=abc&rate=-1&tsl=1&crt=a&log=loud&block=4&type=1&read=x&allow=,",
  );
  for (
    const pattern of [
      /^Tunnel address is "127\.0\.0\.1:70000": expected /,
      /^Target address is "nope": expected /,
      /^Target address is "1\.2\.3:4": expected /,
      /^Parameter "slot" is "abc": expected an integer >= 0$/,
      /^Parameter "rate" is "-1": expected /,
      /^Parameter "tsl" is "1": .*did you mean "tls"\?$/,
      /^Parameter "crt" is "a": expected key beside it/,
      /^Parameter "log" is "loud": expected none, debug, info, warn, error or event$/,
      /^Parameter "block" is "4": expected /,
      /^Parameter "type" is "1": .*QUIC.*not supported yet/,
      /^Parameter "read" is "x": expected a duration/,
      /^Parameter "allow" is ",": expected /,
    ]
  ) ok(found.some((line) => pattern.test(line)), `${pattern} in\n${found.join("\n")}`);
  equal(found.length, 12);
});

test("parseTunnelUrl() refuses values that would quietly switch a limit off", () => {
  for (
    const query of ["slot=", "rate=1e3", "rate=0x10", "slot=1.5", "min=0", "tls=3", "mode=9", "proxy=on", "lbs=01"]
  ) {
    if (query === "slot=") equal(client(`client://${good}@h:1/a:2?${query}`).slots, 65_536);
    else equal(findings(`client://${good}@h:1/a:2?${query}`).length, 1, query);
  }
  equal(findings(`client://${good}@h:1/a:2?notcp=1&noudp=1`).length, 1);
  equal(findings(`server://${good}@h:1/a:2?wire=1.14&clients=2`).length, 1);
  match(findings(`server://${good}@h:1/a:2?wire=1.14&type=2`).join(), /"type" is "2": expected 0 with wire=1\.14/);
  equal(findings(`server://${good}@h:1/a:2?tls=2`).length, 1);
});

test("parseTunnelUrl() is lenient about names, never about values, when told so", () => {
  const { warnings, unknown } = parse(`client://${good}@h:1/a:2?quic=1&foo&log=&&mode=2`, false);
  equal(warnings.length, 2);
  match(warnings[0] ?? "", /^Parameter "quic" is "1": there is no parameter/);
  deepEqual(unknown, [{ name: "quic", value: "1" }, { name: "foo", value: null }]);
  deepEqual(findings(`client://${good}@h:1/a:2?mode=9`, false), findings(`client://${good}@h:1/a:2?mode=9`));
});

test("parseTunnelUrl() warns about what is accepted and probably not meant", () => {
  const warnings = (url: string): string => parse(url).warnings.join("\n");
  match(warnings(`client://${good}@h:1/a:2?slot=1&slot=2`), /^Parameter "slot" is given more than once/);
  equal(client(`client://${good}@h:1/a:2?slot=1&slot=2`).slots, 2);
  match(warnings(`server://${good}@h:1/a:2?tls=2&cert=/c&key=/k`), /^Parameter "cert" is read as "crt"/);
  match(warnings(`client://${good}@h:1/a:2?max=9`), /^Parameter "max" belongs to the server, the client ignores it$/);
  match(warnings(`server://${good}@h:1/a:2?min=nonsense`), /^Parameter "min" belongs to the client/);
  match(warnings(`client://${good}@h:1/a:2?wire=1.14&tls=1`), /belongs to the server with wire=1\.14/);
  equal(warnings(`client://${good}@h:1/a:2`), "");
});

test("parseTunnelUrl() keeps a pin of the client and pins nothing by itself", () => {
  equal(client(`client://${good}@h:1/a:2?tls=0`).tls, "discover");
  equal(client(`client://${good}@h:1/a:2?tls=1`).tls, "derived");
  equal(client(`client://${good}@h:1/a:2?wire=1.14`).tls, "discover");
  equal(server(`server://${good}@h:1/a:2?wire=1.14`).tls.kind, "plain");
  equal(server(`server://${good}@h:1/a:2?wire=1.14`).maxClients, 1);
});

test("parseTunnelUrl() takes the tunnel host as server name unless sni says another", () => {
  const name = (rest: string): string => client(`client://${good}@${rest}`).serverName;
  equal(name("10.0.0.1:1/a:2"), "10.0.0.1");
  equal(name("10.0.0.1:1/a:2?sni=none"), "10.0.0.1");
  equal(name("h:1/a:2?sni=none"), "h");
  equal(name("[::ffff:10.0.0.1]:1/a:2"), "10.0.0.1");
  equal(name(":1/a:2"), "localhost");
});

test("parseTunnelUrl() refuses a tunnel that leads into itself", () => {
  const loops = [
    "127.0.0.1:80/127.0.0.1:80",
    ":80/:80",
    "0.0.0.0:80/127.0.0.1:80",
    "127.0.0.1:80/localhost:80",
    "[::]:80/127.0.0.1:80",
    "[::1]:80/[0::1]:80",
    "127.0.0.1:80/a:1,127.0.0.1:80",
    "[::ffff:127.0.0.1]:80/127.0.0.1:80",
  ];
  for (const rest of loops) match(findings(`server://${good}@${rest}`).join(), /another host or port/, rest);
  for (
    const rest of [
      "127.0.0.1:80/127.0.0.2:80",
      "[::1]:80/127.0.0.1:80",
      "127.0.0.1:0/127.0.0.1:0",
      "h:80/h:80",
      ":80/:81",
    ]
  ) {
    parse(`server://${good}@${rest}`);
  }
});

test("parseTunnelUrl() refuses port 0 where it would be dialled", () => {
  equal(findings(`client://${good}@h:0/a:2?mode=2`).length, 1);
  equal(findings(`client://127.0.0.1:0/a:0?mode=1`).length, 1);
  equal(findings(`server://${good}@h:1/a:0?mode=2`).length, 1);
  parse(`server://${good}@h:0/a:0?mode=1`);
});

test("parseTunnelUrl() never shows a key in its complaints", () => {
  const urls = [
    "hunter2@host:1/a:2",
    "sever://hunter2@host:1/a:2",
    "server://hunter2@host/a:2",
    "server://hunter2@host:1/a:2?bad=1&slot=x",
    "server://hun/hunter2@host:1/a:2",
    "server://hunter2?x@host:1/a:2",
    "server://hunter2@host:1",
    "server:hunter2@host:1/a:2",
    "server://host:1/a:2?key=hunter2",
    "server://hunter2@:1/a:2",
    "\ud800server://hunter2@host:1/a:2",
  ];
  for (const url of urls) {
    try {
      ok(!parse(url).warnings.join().includes("hunter2"), url);
    } catch (error) {
      ok(error instanceof NodePassError && !error.message.includes("hunter2"), `${url}: ${error}`);
    }
  }
});

test("fullUrl() writes what the Go program writes for the parameters they have in common", () => {
  const url = "client://k@127.0.0.1:10101/127.0.0.1:5302?log=info&min=4";
  const go =
    "client://k@127.0.0.1:10101/127.0.0.1:5302?block=0&dial=auto&dns=5m0s&log=info&min=4&mode=0&notcp=0&noudp=0" +
    "&proxy=0&rate=0&read=0s&slot=65536&sni=none";
  const full = fullUrl(parse(url).config, { redact: false });
  const [address, query = ""] = full.split("?");
  const [goAddress, goQuery = ""] = go.split("?");
  equal(address, goAddress);
  const ours = query.split("&");
  deepEqual(goQuery.split("&").filter((entry) => !ours.includes(entry)), []);
  deepEqual(ours.filter((entry) => !goQuery.split("&").includes(entry)), ["lbs=0", "path=/", "type=0", "wire=secure"]);
});
