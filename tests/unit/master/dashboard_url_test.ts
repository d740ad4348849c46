import { parameters } from "../../../src/config/parameters.ts";
import { fieldGuides, fieldsOf, groups } from "../../../src/master/dashboard/client/field_guide.ts";
import { clientUrlFor, judge, readDraft, writeUrl } from "../../../src/master/dashboard/client/url_draft.ts";
import { deepEqual, equal, ok, test } from "../../harness.ts";

test("field guides: every parameter of a tunnel has one, and choices have every value", () => {
  const tunnel = parameters.filter(({ name, roles }) => name !== "mode" && roles.some((role) => role !== "master"));
  deepEqual(Object.keys(fieldGuides).sort(), tunnel.map(({ name }) => name).sort());
  for (const { name, values } of tunnel) {
    const { choices } = fieldGuides[name]!;
    deepEqual(Object.keys(choices ?? {}).sort(), [...values ?? []].sort(), name);
  }
});

test("fieldsOf: a forwarder is not asked about links", () => {
  const names = groups.flatMap((group) => fieldsOf("forwarder", group).map(({ parameter }) => parameter.name));
  ok(names.includes("rate"));
  ok(!names.includes("min") && !names.includes("tls"));
});

test("readDraft and writeUrl: what is read is written again", () => {
  for (
    const url of [
      "server://npk1_key@:10101/:8080?mode=1",
      "client://key@[::1]:10101/127.0.0.1:80,127.0.0.1:81?tls=2&min=8&lbs=1",
      "client://:1/host:2?mode=1",
      "server://k@:1/:2?log=debug&colour=green&bare",
    ]
  ) equal(writeUrl(readDraft(url)!), url);
});

test("writeUrl: a key is encoded, empty values and spaces between targets go", () => {
  const draft = readDraft("server://p%2Fw@:1/:2?log=&rate=5")!;
  equal(draft.key, "p/w");
  draft.targets = ":2, :3";
  equal(writeUrl(draft), "server://p%2Fw@:1/:2,:3?rate=5");
});

test("readDraft: a client with mode 1 is a forwarder; other schemes are none", () => {
  equal(readDraft("client://:1/a:2?mode=1")?.kind, "forwarder");
  equal(readDraft("client://:1/a:2?mode=2")?.kind, "client");
  equal(readDraft("http://a/b"), null);
});

test("judge: says what the master would say", () => {
  deepEqual(judge("server://npk1_0123456789abcdef@:1/:2?rate=x").findings, [
    'Parameter "rate" is "x": expected an integer >= 0, in Mbit/s',
  ]);
  ok(judge("server://short@:1/:2").warnings[0]?.startsWith("Tunnel key has fewer than 16 characters"));
  deepEqual(judge("server://npk1_0123456789abcdef@:1/:2"), { findings: [], warnings: [] });
});

test("clientUrlFor: the other end of a server, with what both ends must agree on", () => {
  equal(
    clientUrlFor("server://key@:10101/:80?mode=1&type=2&path=/x&rate=5", "vpn.example.com"),
    "client://key@vpn.example.com:10101/127.0.0.1:8080?mode=2&type=2&path=/x",
  );
  equal(clientUrlFor("server://key@192.0.2.1:1/:80", "elsewhere"), "client://key@192.0.2.1:1/127.0.0.1:8080?mode=2");
  equal(clientUrlFor("client://key@a:1/:80", "elsewhere"), null);
});
