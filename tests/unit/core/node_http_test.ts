import { deepEqual, equal, match } from "../../harness.ts";
import { Failure } from "../../../src/core/failure.ts";
import { type Call, type NodeStage, stageTest } from "./node_fixture.ts";

const STREAM = "0d4c7f2a-91b6-4e38-8a55-2f7be1c09d14";
const entry = {
  userId: 9,
  subscriptionId: 12,
  nodeProtocolId: 3,
  bytesUp: 1,
  bytesDown: 2,
  recordedAt: "2025-01-01T00:00:00Z",
};

/** A stage with one node, and a call with its key. */
async function withNode(stage: NodeStage): Promise<(method: string, path: string, call?: Call) => Promise<Response>> {
  const { authKey } = await stage.node();
  return (method, path, call = {}) =>
    stage.call(method, path, {
      ...call,
      headers: { "x-node-auth-key": authKey, ...call.headers as Record<string, string> },
    });
}

async function refusal(answer: Response): Promise<[number, string, string]> {
  const body = await answer.json();
  equal(body.statusCode, answer.status);
  equal(answer.headers.get("content-type"), "application/json");
  equal(answer.headers.get("x-request-id"), body.requestId);
  return [answer.status, body.error, body.code];
}

async function gzip(text: string | Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

stageTest("answers have exactly the keys that they should", async (open) => {
  const stage = await open();
  const call = await withNode(stage);
  const ask = async (path: string, body: unknown): Promise<string> => {
    const answer = await call("POST", path, { body });
    equal(answer.status, 200);
    equal(answer.headers.get("cache-control"), "no-store");
    return await answer.text();
  };
  await stage.composition.flush();
  equal(await ask("/node/heartbeat", { revision: 0 }), '{"ok":true,"needSync":true}');
  equal(await ask("/node/heartbeat", {}), '{"ok":true,"needSync":true}');
  equal(await ask("/node/usage", { entries: [entry] }), '{"ok":true}');
  equal(await ask("/node/outbound-usage", { items: [{ tag: "direct", bytesUp: 1, bytesDown: 2 }] }), '{"ok":true}');
  equal(await ask("/node/session-events", { events: [] }), '{"ok":true}');
  const config = await call("GET", "/node/config/latest");
  deepEqual(await config.json(), { revision: 1, clientMap: {}, mtprotoClientMap: {}, services: {} });
  equal(await ask("/node/config/applied", { revision: 1 }), '{"ok":true}');
  equal(await ask("/node/heartbeat", { revision: 1 }), '{"ok":true,"needSync":false}');
  equal(await ask("/node/error", { message: "xray exited 23" }), '{"ok":true}');
});

stageTest("paths and methods that there are not", async (open) => {
  const stage = await open();
  const call = await withNode(stage);
  for (
    const path of [
      "/node/usage/",
      "/node",
      "/node/",
      "/node/usages",
      "/node/config",
      "/node/config/latest/1",
      "/",
      "/x",
    ]
  ) {
    deepEqual(await refusal(await call("POST", path, { body: {} })), [404, "Not Found", "NOT_FOUND"], path);
  }
  const allow: [string, string, string][] = [
    ["GET", "/node/usage", "POST"],
    ["PUT", "/node/register", "POST"],
    ["OPTIONS", "/node/register", "POST"],
    ["HEAD", "/node/heartbeat", "POST"],
    ["DELETE", "/node/config/latest", "GET, HEAD"],
  ];
  for (const [method, path, methods] of allow) {
    const answer = await call(method, path);
    equal(answer.headers.get("allow"), methods);
    if (method === "HEAD") equal(answer.status, 405);
    else deepEqual(await refusal(answer), [405, "Method Not Allowed", "METHOD_NOT_ALLOWED"]);
  }
});

stageTest("bodies that are not JSON in UTF-8", async (open) => {
  const stage = await open();
  const call = await withNode(stage);
  const send = async (body: unknown, headers: Record<string, string> = {}): Promise<[number, string]> => {
    const [status, , code] = await refusal(await call("POST", "/node/usage", { body, headers }));
    return [status, code];
  };
  const invalid = [400, "VALIDATION_FAILED"];
  const wrongType = [415, "UNSUPPORTED_MEDIA_TYPE"];
  const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
  deepEqual(await send("{}", { "content-type": "text/plain" }), wrongType);
  deepEqual(await send("{}", { "content-type": "application/jsonp" }), wrongType);
  deepEqual(await send("{}", { "content-type": "application/json; charset=latin1" }), wrongType);
  deepEqual(await send("{}", { "content-encoding": "br" }), wrongType);
  deepEqual(await send("{}", { "content-encoding": "gzip" }), invalid);
  const cases: [string, unknown][] = [
    ["empty", ""],
    ["cut", '{"entries":['],
    ["mark", '\ufeff{"entries":[]}'],
    ["NaN", '{"entries":[NaN]}'],
    ["lone surrogate", '{"entries":[],"x":"\\ud800"}'],
    ["no UTF-8", bytes(0x22, 0xff, 0x22)],
    ["overlong", bytes(0x22, 0xc0, 0x80, 0x22)],
    ["text", '"entries"'],
    ["list", "[]"],
    ["null", "null"],
  ];
  for (const [name, body] of cases) deepEqual(await send(body), invalid, name);
  const good = ["application/json", "application/json; charset=utf-8", 'Application/JSON ; charset="UTF-8"; x=y'];
  for (const type of good) {
    const answer = await call("POST", "/node/usage", { body: '{"entries":[]}', headers: { "content-type": type } });
    equal(answer.status, 200, type);
  }
});

stageTest("limits on sizes, before and after decompression", async (open) => {
  const stage = await open();
  const call = await withNode(stage);
  const limits: [string, number][] = [
    ["/node/heartbeat", 4_096],
    ["/node/config/applied", 4_096],
    ["/node/error", 65_536],
    ["/node/outbound-usage", 1_048_576],
    ["/node/session-events", 4 * 1_048_576],
    ["/node/usage", 8 * 1_048_576],
    ["/node/register", 8_192],
  ];
  for (const [path, limit] of limits) {
    const fits = await call("POST", path, { body: " ".repeat(limit) });
    equal(fits.status, 400, path);
    await fits.body?.cancel();
    deepEqual(
      await refusal(await call("POST", path, { body: " ".repeat(limit + 1) })),
      [413, "Payload Too Large", "PAYLOAD_TOO_LARGE"],
      path,
    );
  }
  const beat = async (body: Uint8Array): Promise<number> =>
    (await call("POST", "/node/heartbeat", { body, headers: { "content-encoding": "gzip" } })).status;
  equal(await beat(await gzip("{}")), 200);
  equal(await beat(await gzip(`{}${" ".repeat(4 * 4_096 - 2)}`)), 200);
  equal(await beat(await gzip(`{}${" ".repeat(4 * 4_096 - 1)}`)), 413);
  equal(await beat(await gzip(new Uint8Array(3_000_000))), 413);
  const whole = await gzip("{}");
  equal(await beat(whole.slice(0, -3)), 400);
  equal(await beat(Uint8Array.of(...whole, 1)), 400);
});

stageTest("a validation says where", async (open) => {
  const stage = await open();
  const call = await withNode(stage);
  const answer = await call("POST", "/node/usage", { body: { entries: [{ ...entry, bytesUp: -1 }] } });
  equal(answer.status, 400);
  const { requestId, ...body } = await answer.json();
  match(requestId, /^[0-9a-f-]{36}$/);
  deepEqual(body, {
    statusCode: 400,
    error: "Bad Request",
    message: "entries.0.bytesUp: expected an integer >= 0",
    code: "VALIDATION_FAILED",
    issues: [{ path: "entries.0.bytesUp", message: "expected an integer >= 0" }],
  });
  deepEqual(stage.taken, []);
});

stageTest("traffic from 45 days ago to 5 minutes ahead", async (open) => {
  const stage = await open();
  const call = await withNode(stage);
  const now = stage.clock.wall();
  const day = 86_400_000;
  const send = async (...times: number[]): Promise<unknown> => {
    const entries = times.map((at) => ({ ...entry, recordedAt: new Date(at).toISOString() }));
    const answer = await call("POST", "/node/usage", { body: { entries } });
    const { issues } = await answer.json();
    return issues?.map(({ path }: { path: string }) => path) ?? answer.status;
  };
  equal(await send(now - 45 * day, now + 300_000), 200);
  deepEqual(await send(now, now - 45 * day - 1), ["entries.1.recordedAt"]);
  deepEqual(await send(now + 300_001), ["entries.0.recordedAt"]);
  equal(stage.taken.length, 1);
});

stageTest("places in a stream", async (open) => {
  const stage = await open();
  const call = await withNode(stage);
  const send = async (headers: Record<string, string>): Promise<unknown> => {
    stage.taken.length = 0;
    const answer = await call("POST", "/node/usage", { body: { entries: [] }, headers });
    const { issues } = await answer.json();
    if (answer.status !== 200) return issues[0].path;
    const { stream, seq, gap } = stage.taken[0]?.[2] as { stream?: string; seq?: number; gap?: boolean };
    return [stream, seq, gap ?? false];
  };
  const stream = { "x-report-stream": STREAM };
  deepEqual(await send({}), [undefined, undefined, false]);
  deepEqual(await send({ ...stream, "x-report-seq": "1" }), [STREAM, 1, false]);
  deepEqual(await send({ ...stream, "x-report-seq": "9007199254740991", "x-report-gap": "1" }), [
    STREAM,
    9007199254740991,
    true,
  ]);
  equal(await send(stream), "x-report-seq");
  equal(await send({ "x-report-seq": "1" }), "x-report-stream");
  for (const seq of ["0", "-1", "1.5", "1e3", "", " ", "9007199254740992", "0x1"]) {
    equal(await send({ ...stream, "x-report-seq": seq }), "x-report-seq", seq);
  }
  equal(await send({ "x-report-stream": "stream", "x-report-seq": "1" }), "x-report-stream");
  equal(await send({ ...stream, "x-report-seq": "1", "x-report-gap": "yes" }), "x-report-gap");
});

stageTest("refusals of what is below", async (open) => {
  let error: Error | null = null;
  const stage = await open({ refuse: () => error });
  const call = await withNode(stage);
  const send = async (): Promise<Response> => await call("POST", "/node/usage", { body: { entries: [] } });
  error = new Failure("SEQ_GAP", "Report 7 skips earlier ones", { nextSeq: 4 });
  const gap = await send();
  equal(gap.headers.get("x-report-next"), "4");
  deepEqual(await refusal(gap), [409, "Conflict", "SEQ_GAP"]);
  error = new Failure("STORE_UNAVAILABLE", "secret host is down", { retryAfterMs: 4_100 });
  const away = await send();
  equal(away.headers.get("retry-after"), "5");
  const text = await away.text();
  equal(text.includes("secret"), false);
  equal(JSON.parse(text).statusCode, 503);
  for (const each of [new Error("secret detail"), new Failure("INTERNAL", "secret detail")]) {
    error = each;
    const broken = await send();
    const body = await broken.text();
    equal(broken.status, 500);
    equal(body.includes("secret"), false);
    equal(JSON.parse(body).code, "INTERNAL");
  }
});

stageTest("a report that shall come later is not read", async (open) => {
  const asked: number[] = [];
  const stage = await open({
    admit: (_, entries) => {
      asked.push(entries);
      throw new Failure("STORE_UNAVAILABLE", "Too much at once", { retryAfterMs: 7_000 });
    },
  });
  const call = await withNode(stage);
  for (const [body, length] of [["x".repeat(1_000), "1000"], ["{}", "9".repeat(20)], ["{}", "-"]] as const) {
    const later = await call("POST", "/node/usage", { body, headers: { "content-length": length } });
    equal(later.headers.get("retry-after"), "7");
    deepEqual(await refusal(later), [503, "Service Unavailable", "STORE_UNAVAILABLE"]);
  }
  // What no report can have is not believed.
  deepEqual(asked, [10, 83_887, 0]);
});

stageTest("the configuration: entity tags, compression", async (open) => {
  const stage = await open();
  const call = await withNode(stage);
  await stage.composition.flush();
  const get = (headers: Record<string, string> = {}): Promise<Response> =>
    call("GET", "/node/config/latest", { headers });
  const first = await get();
  equal(first.status, 200);
  const etag = first.headers.get("etag") ?? "";
  match(etag, /^"1-[0-9a-f]{8,64}"$/);
  equal(first.headers.get("content-encoding"), null);
  const text = await first.text();
  for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
    const again = await get({ "if-none-match": tag });
    equal(again.status, 304, tag);
    equal(again.headers.get("etag"), etag);
    equal(await again.text(), "");
  }
  equal((await get({ "if-none-match": '"0-00"' })).status, 200);
  for (const accept of ["gzip", "br, gzip;q=0.5", "*", "GZIP"]) {
    const small = await get({ "accept-encoding": accept });
    equal(small.headers.get("content-encoding"), "gzip", accept);
    equal(small.headers.get("vary"), "Accept-Encoding");
    const stream = small.body?.pipeThrough(new DecompressionStream("gzip"));
    equal(await new Response(stream).text(), text);
  }
  for (const accept of ["", "identity", "gzip;q=0", "br", "*;q=0", "gzip;q=0, *"]) {
    equal((await get({ "accept-encoding": accept })).headers.get("content-encoding"), null, accept);
  }
  const head = await call("HEAD", "/node/config/latest");
  equal(head.status, 200);
  equal(await head.text(), "");
});

stageTest("a node that says it applied what it was never sent", async (open) => {
  const stage = await open();
  const call = await withNode(stage);
  await stage.composition.flush();
  deepEqual(await refusal(await call("POST", "/node/config/applied", { body: { revision: 7 } })), [
    409,
    "Conflict",
    "REVISION_AHEAD",
  ]);
});

stageTest("registrations that are not acceptable, with every fault", async (open) => {
  const stage = await open();
  const send = async (change: object, headers: Record<string, string> = {}): Promise<string[]> => {
    const body = { code: "a", name: "A", ip: "203.0.113.7", port: 80, region: "eu", ...change };
    const answer = await stage.call("POST", "/node/register", { body, headers });
    const { issues } = await answer.json();
    return issues?.map(({ path }: { path: string }) => path) ?? [];
  };
  const bad: [object, string[]][] = [
    [{ code: "" }, ["code"]],
    [{ code: "-a" }, ["code"]],
    [{ code: "a".repeat(65) }, ["code"]],
    [{ code: "a b" }, ["code"]],
    [{ code: 7 }, ["code"]],
    [{ name: "" }, ["name"]],
    [{ name: "a\nb" }, ["name"]],
    [{ name: "a".repeat(129) }, ["name"]],
    [{ ip: "example.org" }, ["ip"]],
    [{ ip: "203.0.113.07" }, ["ip"]],
    [{ ip: "fe80::1%eth0" }, ["ip"]],
    [{ port: 0 }, ["port"]],
    [{ port: 65_536 }, ["port"]],
    [{ port: "80" }, ["port"]],
    [{ region: "" }, ["region"]],
    [{ domain: "a..b" }, ["domain"]],
    [{ domain: null }, ["domain"]],
    [{ code: "", port: null, region: undefined }, ["code", "port", "region"]],
  ];
  for (const [change, paths] of bad) deepEqual(await send(change), paths, JSON.stringify(change));
  deepEqual(await send({}, { "idempotency-key": "no uuid" }), ["idempotency-key"]);
  equal((await stage.db.query("SELECT id FROM nodes")).length, 0);
  deepEqual(await send({ ip: "::FFFF:203.0.113.9", domain: "Node.Example.ORG", more: true }), []);
  const [row] = await stage.db.query("SELECT ip, domain FROM nodes");
  deepEqual({ ...row }, { ip: "203.0.113.9", domain: "node.example.org" });
});
