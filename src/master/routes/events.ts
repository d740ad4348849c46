/**
 * `/events`: what happens, as it happens.
 *
 * @module
 */
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import { corsHeaders } from "../../http/cors.ts";
import { answerEvents } from "../../http/sse.ts";
import type { Handler } from "../request.ts";

/** A stream that ends with the master, the key or the connection. */
export const streamEvents: Handler = (c, { hub }) => {
  for (const [name, value] of Object.entries(corsHeaders)) c.header(name, value);
  const context = c as unknown as Context<{ Bindings: HttpBindings }>;
  return answerEvents(context, (stream, lastEventId) => hub.attach(stream, lastEventId));
};
