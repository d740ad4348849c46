import { chooseKey, type KeyAnswer, type KeyQuestion, portKey } from "../../../src/config/key.ts";
import { defaultSettings } from "../../../src/config/settings.ts";
import { equal, match, test } from "../../harness.ts";

const question: KeyQuestion = {
  role: "server",
  single: false,
  modeGiven: false,
  wire: "secure",
  tunnel: { host: "0.0.0.0", port: 10101 },
  urlKey: null,
  fileKey: null,
  settings: defaultSettings,
  strict: true,
  url: "server://0.0.0.0:10101/127.0.0.1:8080",
};

function ask(changes: Partial<KeyQuestion>): KeyAnswer {
  return chooseKey({ ...question, ...changes });
}

test("portKey() is the Go program's", () => {
  // From a real pair: client://8b694e57@127.0.0.1:10777/...
  equal(portKey(10777), "8b694e57");
  equal(portKey(10101).length, 8);
});

test("chooseKey() refuses a missing key off loopback and shows the command to run instead", () => {
  const { remedy } = ask({});
  match(
    remedy ?? "",
    /key=\$\(nodepass keygen\) && echo "\$key" && nodepass "server:\/\/\$key@0\.0\.0\.0:10101\/127\.0\.0\.1:8080"/,
  );
  const client = ask({ role: "client", tunnel: { host: "h", port: 1 }, url: "client://h:1/a:2?slot=$1" });
  match(
    client.remedy ?? "",
    /nodepass "client:\/\/KEY@h:1\/a:2\?slot=\\\$1".*nodepass "client:\/\/h:1\/a:2\?slot=\\\$1&mode=1"/,
  );
});

test("chooseKey() makes one from the port on loopback, or when told that no secret is needed", () => {
  for (const host of ["127.0.0.1", "::1", "localhost", "LOCALHOST.", "::ffff:127.0.0.1"]) {
    const { key, finding, warning } = ask({ tunnel: { host, port: 10101 } });
    equal(finding ?? warning, null, host);
    equal(key.origin, "port");
    equal(key.secret.reveal(), portKey(10101));
  }
  const allowed = ask({ settings: { ...defaultSettings, allowPortKey: true } });
  equal(allowed.finding, null);
  match(allowed.warning ?? "", /no secret/);
  const api = ask({ strict: false });
  equal(api.finding, null);
  match(api.warning ?? "", /no secret/);
  const old = ask({ wire: "1.14", tunnel: { host: "127.0.0.1", port: 1 } });
  match(old.warning ?? "", /no secret/);
});

test("chooseKey() demands a real key with NP_REQUIRE_KEY, whatever else is set", () => {
  const settings = { ...defaultSettings, requireKey: true, allowPortKey: true };
  match(ask({ settings }).finding ?? "", /NP_REQUIRE_KEY/);
  match(ask({ settings, strict: false }).finding ?? "", /NP_REQUIRE_KEY/);
  match(ask({ settings, wire: "1.14" }).finding ?? "", /NP_REQUIRE_KEY/);
  match(ask({ settings, urlKey: "short" }).finding ?? "", /fewer than 16 characters.*keygen/);
  equal(ask({ settings, urlKey: "sixteen-or-more-characters" }).finding, null);
  equal(ask({ settings, tunnel: { host: "127.0.0.1", port: 1 } }).finding, null);
});

test("chooseKey() warns about a short key off loopback and names keygen", () => {
  match(ask({ urlKey: "secret" }).warning ?? "", /keygen/);
  match(ask({ fileKey: "secret" }).warning ?? "", /keygen/);
  equal(ask({ urlKey: "secret", tunnel: { host: "127.0.0.1", port: 1 } }).warning, null);
  equal(ask({ urlKey: "sixteen-or-more-" }).warning, null);
});

test("chooseKey() prefers the URL to the file and needs none for a forwarder", () => {
  equal(ask({ urlKey: "from-the-url", fileKey: "from-the-file" }).key.origin, "url");
  equal(ask({ fileKey: "from-the-file" }).key.origin, "file");
  const single = ask({ role: "client", single: true });
  equal(single.finding ?? single.warning, null);
  // A client dials its own machine there.
  equal(ask({ role: "client", tunnel: { host: "", port: 1 } }).finding, null);
});
