/**
 * `/node/*`: what agents call.
 *
 * @module
 */
import { uuid } from "../contract/fields.ts";
import { type HeaderOf, readConfigHash, readHeader, readPlace } from "../contract/headers.ts";
import * as bodies from "../contract/node_bodies.ts";
import { parseBody } from "../contract/parse.ts";
import type { NodeAuth, NodeCaller, NodeService } from "../node_calls.ts";
import { answerJson, type CoreContext, type CoreRoute, readJson } from "../request.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** What the routes call. */
export interface NodeRouteDeps {
  readonly service: NodeService;
  readonly auth: NodeAuth;
}

/** Every operation of agents over HTTP. */
export function nodeRoutes({ service, auth }: NodeRouteDeps): readonly CoreRoute[] {
  const ok = (): Response => answerJson({ ok: true });

  const admit = (access: "heartbeat" | "full") => async (c: CoreContext): Promise<void> => {
    c.set(
      "caller",
      await auth.authenticate({
        keys: keysOf(c),
        ip: c.get("ip"),
        agentServices: c.req.header("x-agent-services") ?? null,
        access,
      }),
    );
    c.env.admit?.();
  };

  /** A route of nodes that proved their key. */
  const route = (
    method: "GET" | "POST",
    path: string,
    handle: (caller: NodeCaller, c: CoreContext) => Promise<Response>,
    access: "heartbeat" | "full" = "full",
  ): CoreRoute => ({
    method,
    path,
    access: "node",
    admit: admit(access),
    handle: async (c) => await handle(c.get("caller") as NodeCaller, c),
  });

  return [
    {
      method: "POST",
      path: "/node/register",
      access: "public",
      admit: () => {},
      handle: async (c) => {
        const proof = {
          ip: c.get("ip"),
          joinToken: c.req.header("x-node-join-token") ?? null,
          idempotencyKey: readHeader(headersOf(c), "idempotency-key", uuid) ?? null,
          keys: keysOf(c),
        };
        const input = parseBody(bodies.registerBody, await readJson(c, 8 * KIB));
        const { authKey, nodeId, corePublicKey } = await service.register(proof, input);
        c.env.admit?.();
        return answerJson({ authKey, nodeId }, 201, { "x-core-public-key": corePublicKey });
      },
    },
    route("POST", "/node/heartbeat", async (caller, c) => {
      const configHash = readConfigHash(headersOf(c));
      const body = parseBody(bodies.heartbeatBody, await readJson(c, 4 * KIB));
      const { needSync } = await service.heartbeat(caller, { ...body, configHash });
      return answerJson({ ok: true, needSync });
    }, "heartbeat"),
    route("POST", "/node/usage", async (caller, c) => {
      const place = readPlace(headersOf(c));
      service.admitUsage(caller, Number(c.req.header("content-length")) || 0);
      const { entries } = parseBody(bodies.usageBody, await readJson(c, 8 * MIB));
      await service.usage(caller, { ...place, entries });
      return ok();
    }),
    route("POST", "/node/outbound-usage", async (caller, c) => {
      const place = readPlace(headersOf(c));
      const { items } = parseBody(bodies.outboundUsageBody, await readJson(c, MIB));
      await service.outboundUsage(caller, { ...place, items });
      return ok();
    }),
    route("POST", "/node/session-events", async (caller, c) => {
      await service.sessionEvents(caller, parseBody(bodies.sessionEventsBody, await readJson(c, 4 * MIB)));
      return ok();
    }),
    route("GET", "/node/config/latest", async (caller, c) => await latestConfig(caller, c, service)),
    route("POST", "/node/config/applied", async (caller, c) => {
      await service.configApplied(caller, parseBody(bodies.configAppliedBody, await readJson(c, 4 * KIB)));
      return ok();
    }),
    route("POST", "/node/error", async (caller, c) => {
      await service.nodeError(caller, parseBody(bodies.nodeErrorBody, await readJson(c, 64 * KIB)));
      return ok();
    }),
  ];
}

async function latestConfig(caller: NodeCaller, c: CoreContext, service: NodeService): Promise<Response> {
  const answer = await service.latestConfig(caller);
  const headers: Record<string, string> = {
    "ETag": answer.etag,
    "Cache-Control": "no-cache, private",
    "Vary": "Accept-Encoding",
  };
  if (names(c.req.header("if-none-match"), answer.etag)) return new Response(null, { status: 304, headers });
  headers["Content-Type"] = "application/json";
  if (!takesGzip(c.req.header("accept-encoding"))) return new Response(answer.json, { headers });
  return new Response(answer.gz, { headers: { ...headers, "Content-Encoding": "gzip" } });
}

/** Whether `If-None-Match` names this entity tag; weak ones are as good here. */
function names(header: string | undefined, etag: string): boolean {
  const tags = (header ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.some((tag) => tag === "*" || tag === etag);
}

/** Whether `Accept-Encoding` allows gzip: by its name, or by what holds for those that are not named. */
function takesGzip(header: string | undefined): boolean {
  const weights = new Map(
    (header ?? "").toLowerCase().split(",").map((part) => {
      const [name = "", ...parameters] = part.split(";").map((text) => text.trim());
      const weight = parameters.find((text) => text.startsWith("q="))?.slice(2);
      return [name, weight === undefined ? 1 : Number(weight)] as const;
    }),
  );
  return (weights.get("gzip") ?? weights.get("x-gzip") ?? weights.get("*") ?? 0) > 0;
}

/** Several headers of this name come as one text with commas, which is no key. */
function keysOf(c: CoreContext): string[] {
  const key = c.req.header("x-node-auth-key");
  return key === undefined || key === "" ? [] : [key];
}

function headersOf(c: CoreContext): HeaderOf {
  return (name) => c.req.header(name);
}
