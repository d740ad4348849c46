/** URLs of instances as clients of the API send them. */
import { defaultSettings } from "../../../src/config/settings.ts";
import { ApiError } from "../../../src/http/api_error.ts";
import { type Inheritance, readInstanceUrl } from "../../../src/master/instance_url.ts";
import { equal, match, ok, test, throws } from "../../harness.ts";

const PLAIN: Inheritance = { log: "info", tls: { kind: "plain" }, wire: "secure" };
const FILES: Inheritance = { ...PLAIN, tls: { kind: "files", files: { chain: "/c.pem", key: "/k.pem" } } };

function configOf(url: string, inherited: Inheritance = PLAIN): string {
  return readInstanceUrl(url, inherited, defaultSettings).config;
}

function refusal(url: string): string {
  let text = "";
  throws(() => configOf(url), (error: unknown) => {
    ok(error instanceof ApiError && error.status === 400, String(error));
    text = error.message;
    return true;
  });
  return text;
}

test("readInstanceUrl() takes what clients send", () => {
  for (
    const url of [
      "server://:10101/:8080",
      "client://:10101/:80",
      "client://key@[::1]:10101/[::1]:80",
      "client://a@b:c@127.0.0.1:10101/127.0.0.1:80",
      "server://k@0.0.0.0:1/127.0.0.1:2?log=&&mode=2",
      "server://k@0.0.0.0:1/127.0.0.1:2?tls=2&cert=/c&key=/k",
      "client://1.2.3.4:1/5.6.7.8:2?quota=5&etls=1",
      "  client://127.0.0.1:1/127.0.0.1:2  ",
    ]
  ) ok(configOf(url).includes("log=info"), url);
  const { warnings, weakKey, type } = readInstanceUrl("client://1.2.3.4:1/5.6.7.8:2?quota=5", PLAIN, defaultSettings);
  match(warnings.join("\n"), /"quota"/);
  equal(weakKey, true);
  equal(type, "client");
  equal(readInstanceUrl("client://1.2.3.4:1/5.6.7.8:2?mode=1", PLAIN, defaultSettings).weakKey, false);
  ok(readInstanceUrl("server://:1/:2", PLAIN, { ...defaultSettings, requireKey: true }).weakKey, "its run says so");
});

test("readInstanceUrl() refuses with the words of other masters", () => {
  equal(refusal(""), "Invalid request body");
  equal(refusal("http://x/y"), "Invalid URL scheme");
  equal(refusal("x://"), "Invalid URL scheme");
  equal(refusal("master://:1"), "Invalid URL scheme");
  equal(refusal("server://%zz"), "Invalid URL format");
  equal(refusal("nonsense"), "Invalid URL format");
  equal(refusal(`client://a:1/b:2?path=/${"x".repeat(4096)}`), "Instance URL exceeds maximum length 4096");
  match(refusal("client://127.0.0.1:10777/127.0.0.1:1?mode=9"), /^Invalid URL: Parameter "mode" is "9": expected/);
  match(
    refusal("client://secret@127.0.0.1:x/127.0.0.1:1?rate=z"),
    /Tunnel address.*; Parameter "rate"|Parameter "rate"/,
  );
  ok(!refusal("client://secret@127.0.0.1:x/127.0.0.1:1").includes("secret"));
});

test("readInstanceUrl() fills in what the master says, and never takes protection away", () => {
  const server = "server://k@127.0.0.1:1/127.0.0.1:2";
  match(configOf(server), /[?&]tls=1(&|$)/);
  match(configOf(`${server}?tls=0`, { ...PLAIN, tls: { kind: "derived" } }), /[?&]tls=0(&|$)/);
  match(configOf(server, { ...PLAIN, tls: { kind: "derived" } }), /[?&]tls=1(&|$)/);
  match(configOf(server, FILES), /[?&]crt=\/c\.pem&.*key=\/k\.pem&.*tls=2(&|$)/);
  match(configOf(`${server}?tls=2&crt=/own.pem&key=/own.key`, FILES), /crt=\/own\.pem&.*key=\/own\.key/);
  match(configOf(`${server}?tls=1`, FILES), /[?&]tls=1(&|$)/);
  ok(!configOf(`${server}?tls=1`, FILES).includes("/c.pem"));
  ok(!configOf("client://k@127.0.0.1:1/127.0.0.1:2", FILES).includes("/c.pem"));
  match(configOf(`${server}?log=warn`, { ...PLAIN, log: "debug" }), /log=warn/);
  match(configOf(`${server}?log=`, { ...PLAIN, log: "debug" }), /log=debug/);
  match(configOf(server, { ...PLAIN, wire: "1.14" }), /tls=0&.*wire=1\.14/);
  match(configOf(`${server}?wire=secure`, { ...PLAIN, wire: "1.14" }), /wire=secure/);
});
