import { deepEqual, equal, match } from "../../harness.ts";
import { type FakeMaster, KEY, masterTest } from "./fake_master.ts";

const URL_A = "server://k@127.0.0.1:10101/127.0.0.1:10022?log=&&mode=2";

async function create(master: FakeMaster, body: unknown = { url: URL_A, alias: "srv" }): Promise<{ id: string }> {
  const response = await master.call("/instances", { method: "POST", body: JSON.stringify(body) });
  equal(response.status, 201);
  return await response.json();
}

async function answer(response: Promise<Response>): Promise<[number, unknown]> {
  const { status, body } = await read(response);
  return [status, body === "" ? null : JSON.parse(body)];
}

async function read(response: Promise<Response>): Promise<{ status: number; headers: Headers; body: string }> {
  const { status, headers } = await response;
  return { status, headers, body: await (await response).text() };
}

const refusal = (text: string) => ({ error: text, message: text });

masterTest("routes: instances are created, shown, changed, replaced and removed", {}, async (master) => {
  const { id } = await create(master);
  const shown = await read(master.call(`/instances/${id}`));
  equal(shown.status, 200);
  match(shown.body, /^\{"id":"[0-9a-f]{8}","alias":"srv","type":"server","status":"running","url":"server:/);
  equal(JSON.parse(shown.body).url, URL_A);
  equal(shown.headers.get("content-type"), "application/json");
  equal((await (await master.call("/instances")).json()).length, 2);
  const change = {
    alias: "other",
    restart: false,
    meta: { peer: { sid: null, type: "t" }, tags: { a: "1", b: null } },
  };
  const [status, changed] = await answer(
    master.call(`/instances/${id}`, { method: "PATCH", body: JSON.stringify(change) }),
  );
  equal(status, 200);
  const { alias, restart, meta } = changed as Record<string, unknown>;
  deepEqual({ alias, restart, meta }, {
    alias: "other",
    restart: false,
    meta: { peer: { sid: "", type: "t", alias: "" }, tags: { a: "1", b: "" } },
  });
  const replaced = await answer(
    master.call(`/instances/${id}`, { method: "PUT", body: '{"url":"client://:1/:2"}' }),
  );
  equal((replaced[1] as { url: string }).url, "client://:1/:2");
  const removed = await read(master.call(`/instances/${id}`, { method: "DELETE" }));
  deepEqual([removed.status, removed.body], [204, ""]);
  deepEqual(await answer(master.call(`/instances/${id}`)), [404, refusal("Instance not found")]);
});

masterTest(
  "routes: what a PATCH does not say stays, and null, unknown members and an empty alias say nothing",
  {},
  async (master) => {
    const { id } = await create(master);
    const patch = (body: string) => answer(master.call(`/instances/${id}`, { method: "PATCH", body }));
    for (
      const body of [
        "{}",
        '{"alias":null,"action":null,"restart":null,"meta":null}',
        '{"alias":"","action":""}',
        '{"x":1}',
      ]
    ) {
      equal((await patch(body))[0], 200);
      deepEqual(master.instances.lastChanges.pop(), {});
    }
    await patch('{"meta":{"peer":null,"tags":{}}}');
    deepEqual(master.instances.lastChanges.pop(), { meta: { tags: {} } });
    for (const name of ["constructor", "__proto__", "toString"]) {
      await patch(`{"meta":{"tags":{"${name}":"x"}}}`);
      deepEqual(Object.entries(master.instances.lastChanges.pop()?.meta?.tags ?? {}), [[name, "x"]]);
    }
  },
);

masterTest("routes: bodies that are not what they should be are 400, whatever the content type", {}, async (master) => {
  const { id } = await create(master);
  const bodies: [method: string, path: string, body: string, text: string][] = [
    ["POST", "/instances", "{}", "Invalid request body"],
    ["POST", "/instances", "", "Invalid request body"],
    ["POST", "/instances", "{", "Invalid request body"],
    ["POST", "/instances", "[]", "Invalid request body"],
    ["POST", "/instances", '{"url":1}', "Invalid request body"],
    ["POST", "/instances", '{"url":"http://x/y"}', "Invalid URL scheme"],
    ["PATCH", `/instances/${id}`, '"nonsense"', "Invalid request body"],
    ["PATCH", `/instances/${id}`, "nonsense", "Invalid request body"],
    ["PATCH", `/instances/${id}`, '{"action":"bogus"}', "Invalid action: bogus"],
    ["PATCH", `/instances/${id}`, '{"restart":"yes"}', "Invalid request body"],
    ["PATCH", `/instances/${id}`, '{"meta":{"tags":{"a":1}}}', "Invalid request body"],
    ["PATCH", `/instances/${id}`, '{"meta":{"tags":[]}}', "Invalid request body"],
    ["PUT", `/instances/${id}`, '{"url":""}', "Invalid request body"],
    ["POST", "/info", '{"alias":5}', "Invalid request body"],
  ];
  for (const [method, path, body, text] of bodies) {
    for (const type of ["application/json", "text/plain"]) {
      const headers = { "Content-Type": type };
      deepEqual(await answer(master.call(path, { method, body, headers })), [400, refusal(text)], `${path} ${body}`);
    }
  }
  const broken = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
  deepEqual(await answer(master.call("/info", { method: "POST", body: broken })), [
    400,
    refusal("Invalid request body"),
  ]);
});

masterTest("routes: the API key is an instance that can be shown and renewed, nothing else", {}, async (master) => {
  const forbidden = [403, refusal("Forbidden: API Key")];
  deepEqual(
    await answer(master.call("/instances/********", { method: "PUT", body: '{"url":"client://a:1/b:2"}' })),
    forbidden,
  );
  deepEqual(await answer(master.call("/instances/********", { method: "DELETE" })), forbidden);
  equal((await answer(master.call("/instances/********", { method: "PATCH", body: '{"alias":"x"}' })))[0], 200);
  const renewed = await answer(master.call("/instances/********", { method: "PATCH", body: '{"action":"restart"}' }));
  const { url } = renewed[1] as { url: string };
  equal(url, master.instances.key);
  deepEqual(await answer(master.call("/instances")), [401, refusal("Unauthorized: Invalid API key")]);
  equal((await answer(master.call("/instances", { key: url })))[0], 200);
});

masterTest("routes: an ETag goes out, and If-Match holds changes back", {}, async (master) => {
  const { id } = await create(master);
  const etag = (await read(master.call(`/instances/${id}`))).headers.get("etag") ?? "";
  match(etag, /^"[^"]+"$/);
  const patch = (value: string) =>
    read(master.call(`/instances/${id}`, { method: "PATCH", body: '{"alias":"b"}', headers: { "If-Match": value } }));
  const changed = await patch(`"other", ${etag}`);
  equal(changed.status, 200);
  equal((await patch(etag)).status, 412);
  equal((await patch(`W/${changed.headers.get("etag")}`)).status, 412);
  equal((await patch("*")).status, 200);
  const stale = { headers: { "If-Match": etag } };
  equal((await read(master.call(`/instances/${id}`, { method: "DELETE", ...stale }))).status, 412);
  equal(
    (await read(master.call(`/instances/${id}`, { method: "PUT", body: '{"url":"client://:1/:2"}', ...stale }))).status,
    412,
  );
});

masterTest("routes: a POST with the same Idempotency-Key does its work once", {}, async (master) => {
  const headers = { "Idempotency-Key": "abc" };
  const post = (body: string, path = "/instances") => answer(master.call(path, { method: "POST", body, headers }));
  const body = JSON.stringify({ url: URL_A });
  const answers = await Promise.all([post(body), post(body), post(body)]);
  deepEqual(answers.map(([status]) => status), [201, 201, 201]);
  equal(new Set(answers.map(([, instance]) => (instance as { id: string }).id)).size, 1);
  deepEqual(master.instances.calls, ["create"]);
  equal((await post(JSON.stringify({ url: `${URL_A}&x=1` })))[0], 422);
  equal((await post('{"alias":"m"}', "/info"))[0], 200);
  equal(
    (await answer(
      master.call("/instances", { method: "POST", body, headers: { "Idempotency-Key": "x".repeat(257) } }),
    ))[0],
    400,
  );
});

masterTest("routes: what did not work is not kept under an Idempotency-Key", {}, async (master) => {
  const headers = { "Idempotency-Key": "abc" };
  const body = '{"url":"http://x/y"}';
  for (let index = 0; index < 2; index++) {
    const refused = await answer(master.call("/instances", { method: "POST", body, headers }));
    deepEqual(refused, [400, refusal("Invalid URL scheme")]);
  }
});

masterTest("routes: both prefixes, wrong methods, unknown paths, empty ids", {}, async (master) => {
  const at = (path: string, init: RequestInit = {}) =>
    read(fetch(master.origin + path, { redirect: "manual", ...init, headers: { "x-api-KEY": KEY } }));
  for (const path of ["/api/instances", "/api/v1/instances"]) equal((await at(path)).status, 200);
  const wrong = await at("/api/v1/instances/x", { method: "POST", body: "{}" });
  deepEqual([wrong.status, JSON.parse(wrong.body)], [405, refusal("Method not allowed")]);
  equal(wrong.headers.get("allow"), "GET, PATCH, PUT, DELETE, HEAD, OPTIONS");
  equal((await at("/api/v1/instances", { method: "DELETE" })).status, 405);
  equal((await at("/api/v1/healthz", { method: "PUT" })).headers.get("allow"), "GET, HEAD, OPTIONS");
  for (
    const path of [
      "/nothing",
      "/api/v1/instances/a/b",
      "/api/v1/x%2Finstances",
      "/api/v1/api/v1/instances",
      "/api/v1/info/",
    ]
  ) {
    const { status, body, headers } = await at(path);
    deepEqual([path, status, JSON.parse(body)], [path, 404, refusal("Not found")]);
    equal(headers.get("access-control-allow-origin"), "*");
  }
  equal((await at("/api/v1/instances/x%2Fsessions")).body, JSON.stringify(refusal("Instance not found")));
  const empty = await at("/api/v1/instances/");
  deepEqual([empty.status, JSON.parse(empty.body)], [400, refusal("Instance ID is required")]);
  for (const path of ["/", "/api"]) {
    const { status, headers } = await at(path);
    deepEqual([status, headers.get("location")], [302, "/api/"]);
  }
});

masterTest("routes: a prefix of the URL's choice", { url: "master://127.0.0.1:0/my.master/~x" }, async (master) => {
  const headers = { Authorization: `Bearer ${KEY}` };
  const { status, body } = await read(fetch(`${master.origin}/my.master/~x/v1/info`, { headers }));
  equal(status, 200);
  equal(JSON.parse(body).mid, "f378ec6f25ae10fa");
  equal((await read(fetch(`${master.origin}/myxmaster/~x/v1/info`, { headers }))).status, 404);
});

masterTest("routes: HEAD answers as GET without a body", {}, async (master) => {
  for (const path of ["/instances", "/healthz", "/events", "/docs"]) {
    const { status, body, headers } = await read(master.call(path, { method: "HEAD" }));
    deepEqual([path, status, body], [path, 200, ""]);
    equal(headers.get("access-control-allow-origin"), "*");
  }
  equal(master.parts.hub.readers, 0);
});

masterTest(
  "routes: every path answers OPTIONS without a key, and every answer may be read by any page",
  {},
  async (master) => {
    for (const path of ["/instances", "/instances/x", "/events", "/info", "/healthz"]) {
      const { status, body, headers } = await read(master.call(path, { method: "OPTIONS", key: null }));
      deepEqual([status, body], [200, ""]);
      equal(headers.get("access-control-allow-origin"), "*");
      for (const method of ["GET", "PATCH", "POST", "PUT", "DELETE"]) {
        match(headers.get("access-control-allow-methods") ?? "", new RegExp(method));
      }
      for (
        const name of [
          "Content-Type",
          "X-API-Key",
          "Cache-Control",
          "Authorization",
          "Last-Event-ID",
          "If-Match",
          "Idempotency-Key",
        ]
      ) {
        match(headers.get("access-control-allow-headers") ?? "", new RegExp(name));
      }
    }
    const refused = await read(master.call("/instances", { key: null }));
    equal(refused.status, 401);
    equal(refused.headers.get("access-control-allow-origin"), "*");
    match(refused.headers.get("access-control-expose-headers") ?? "", /ETag, Retry-After/);
  },
);

let ready = true;

masterTest("routes: sessions, logs, info, readiness", { parts: { ready: () => ready } }, async (master) => {
  const { id } = await create(master);
  equal(((await answer(master.call(`/instances/${id}/sessions`)))[1] as unknown[]).length, 1);
  equal((await answer(master.call(`/instances/${id}/sessions/1`, { method: "DELETE" })))[0], 204);
  deepEqual(await answer(master.call(`/instances/${id}/sessions/1`, { method: "DELETE" })), [
    404,
    refusal("Session not found"),
  ]);
  deepEqual(await answer(master.call("/instances/nope/sessions")), [404, refusal("Instance not found")]);
  deepEqual(await answer(master.call(`/instances/${id}/logs?lines=2`)), [200, ["second", "third"]]);
  for (const lines of ["0", "501", "x", "1.5", "-1"]) {
    deepEqual(await answer(master.call(`/instances/${id}/logs?lines=${lines}`)), [
      400,
      refusal("Invalid number of lines"),
    ]);
  }
  const [, info] = await answer(master.call("/info", { method: "POST", body: '{"alias":"m1"}' }));
  const { mid, alias, ver, log, tls, cpu, sysup, name, impl } = info as Record<string, unknown>;
  deepEqual({ mid, alias, ver, log, tls, cpu, sysup, name, impl }, {
    ...{ mid: "f378ec6f25ae10fa", alias: "m1", ver: "1.14.0", log: "info", tls: "0", cpu: 3, sysup: 7 },
    ...{ name: "127.0.0.1", impl: "nodepass-ts" },
  });
  for (const value of Object.values(info as object)) if (typeof value === "number") equal(value, Math.trunc(value));
  deepEqual(await answer(master.call("/readyz", { key: null })), [200, { status: "ready" }]);
  ready = false;
  deepEqual(await answer(master.call("/readyz", { key: null })), [503, refusal("Not ready")]);
  deepEqual(await answer(master.call("/healthz", { key: null })), [200, { status: "ok" }]);
});

masterTest(
  "routes: an event stream starts at once, may be read by any page and knows where its reader was",
  {},
  async (master) => {
    const response = await master.call("/events", { headers: { "Last-Event-ID": "3-77" } });
    equal(response.headers.get("content-type"), "text/event-stream");
    equal(response.headers.get("access-control-allow-origin"), "*");
    const reader = response.body!.getReader();
    const { value } = await reader.read();
    match(new TextDecoder().decode(value), /^retry: 3000\n\nevent: instance\ndata: \{"lastEventId":"3-77"\}\n\n$/);
    await reader.cancel();
  },
);

masterTest("routes: pages come with a policy that lets nothing else in", {}, async (master) => {
  for (const path of ["/api/", "/api/app.js", "/api/style.css", "/api/v1/docs", "/api/docs"]) {
    const { status, headers } = await read(fetch(master.origin + path));
    equal(status, 200);
    const policy = headers.get("content-security-policy") ?? "";
    match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'( 'sha256-[^']+')*; connect-src 'self'; /);
    match(policy, /frame-ancestors 'none'$/);
    equal(headers.get("x-content-type-options"), "nosniff");
    equal(headers.get("x-frame-options"), "DENY");
  }
});

const failing = { sample: () => Promise.reject(new Error("secret detail")), close() {} };

masterTest("routes: what nobody expected is 500 without a detail", { parts: { system: failing } }, async (master) => {
  deepEqual(await answer(master.call("/info")), [500, refusal("Internal server error")]);
});
