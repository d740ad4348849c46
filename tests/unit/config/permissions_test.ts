import { minimalPermissions, type Permissions } from "../../../src/config/permissions.ts";
import { defaultSettings, settingVariables } from "../../../src/config/settings.ts";
import { parseTunnelUrl } from "../../../src/config/tunnel_url.ts";
import { deepEqual, equal, match, ok, test } from "../../harness.ts";

function of(url: string, keyText: string | null = null): Permissions {
  const settings = { ...defaultSettings, keyFile: "/run/key,1" };
  return minimalPermissions(parseTunnelUrl(url, { settings, strict: false, keyText }).config);
}

function flag(permissions: Permissions, name: string): string[] | null {
  const found = permissions.flags.find((flag) => flag === `--allow-${name}` || flag.startsWith(`--allow-${name}=`));
  return found === undefined ? null : found.split("=")[1]?.split(",") ?? [];
}

test("minimalPermissions() lists the addresses of a tunnel between literal addresses", () => {
  const forwarder = of("client://127.0.0.1:1/10.0.0.1:2,[2001:db8::1]:3?mode=1&noudp=1");
  deepEqual(flag(forwarder, "net"), ["127.0.0.1:1", "10.0.0.1:2", "[2001:db8::1]:3"]);
  deepEqual(forwarder.notes, []);
  const egress = of("server://k@:1/127.0.0.1:2?mode=2&tls=0");
  deepEqual(flag(egress, "net"), [
    "0.0.0.0:1",
    "[::]:1",
    "127.0.0.1:1",
    "[::1]:1",
    "127.0.0.1:2",
    "0.0.0.0:0",
    "[::]:0",
  ]);
});

test("minimalPermissions() lists a port for trying a certificate where one is tried", () => {
  const server = "server://k@127.0.0.1:1/127.0.0.1:2?mode=2&noudp=1&tls=1";
  deepEqual(flag(of(server), "net"), ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:0"]);
  deepEqual(flag(of(`${server}&wire=1.14`), "net"), ["127.0.0.1:1", "127.0.0.1:2"]);
});

test("minimalPermissions() allows every address for names and for UDP visitors, and says why", () => {
  const named = of("server://k@127.0.0.1:1/db.example.com:2?mode=2");
  deepEqual(flag(named, "net"), []);
  match(named.notes.join(), /^db\.example\.com is a name/);
  match(of("server://k@127.0.0.1:1/127.0.0.1:2").notes.join(), /UDP visitors.*noudp=1/);
  match(of("client://k@127.0.0.1:1/127.0.0.1:2?mode=2").notes.join(), /UDP visitors/);
});

test("minimalPermissions() lists the files and variables that are read, and no more", () => {
  const plain = of("client://127.0.0.1:1/127.0.0.1:2?mode=1");
  equal(flag(plain, "read"), null);
  equal(flag(plain, "sys"), null);
  const names = settingVariables.map(({ name }) => name as string);
  deepEqual(flag(plain, "env"), [...names, "NO_COLOR", "DENO_CERT", "DENO_TLS_CA_STORE"]);
  deepEqual(flag(of("server://k@127.0.0.1:1/a:2?tls=2&crt=/c&key=/k"), "read"), ["/c", "/k"]);
  ok(of("server://127.0.0.1:1/a:2", "from-the-file").flags.includes("--allow-read=/run/key,,1"));
  const trusting = of("client://k@127.0.0.1:1/a:2?crt=/ca");
  deepEqual(flag(trusting, "read"), ["/ca"]);
  deepEqual(flag(trusting, "sys"), []);
  ok(flag(of("client://k@127.0.0.1:1/a:2?type=2"), "env")?.includes("WS_NO_BUFFER_UTIL"));
});

test("minimalPermissions() never allows everything, running programs or writing", () => {
  for (const url of ["server://k@a:1/b:2?type=2", "client://k@a:1/b:2?crt=/c", "client://:1/:2?mode=1"]) {
    for (const flag of of(url).flags) ok(!/^(-A|--allow-(all|run|write|ffi|import))\b/.test(flag), flag);
  }
});

test("minimalPermissions() lets workers read their modules, and nobody else", () => {
  const url = "client://127.0.0.1:10101/127.0.0.1:80?mode=1&noudp=1";
  for (const [workers, expected] of [[1, false], [2, true], [null, true]] as const) {
    const { config } = parseTunnelUrl(url, { settings: { ...defaultSettings, workers }, strict: false });
    equal(minimalPermissions(config, "/opt/nodepass/src").flags.includes("--allow-read=/opt/nodepass/src"), expected);
    equal(minimalPermissions(config).flags.some((flag) => flag.startsWith("--allow-read")), false);
  }
});
