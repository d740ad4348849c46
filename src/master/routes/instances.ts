/**
 * `/instances`: the list and single instances.
 *
 * @module
 */
import { ApiError } from "../../http/api_error.ts";
import { ifMatchOf } from "../../http/etag.ts";
import { API_KEY_ID } from "../instance.ts";
import type { IfMatch } from "../parts.ts";
import { answerInstance, answerJson, bodyOf, type Handler, instanceOf, type MasterContext } from "../request.ts";
import { readChange, readCreate, readReplace } from "../schemas.ts";

/** All instances, the pseudo instance of the API key included. */
export const listInstances: Handler = (_, { instances }) => answerJson(instances.list());

/** Creates an instance and starts it. */
export const createInstance: Handler = async (c, parts) => {
  const instance = await parts.instances.create(readCreate(await bodyOf(c)));
  return answerInstance(instance, parts, 201);
};

/** One instance. */
export const getInstance: Handler = (c, parts) => answerInstance(instanceOf(c, parts), parts);

/** Changes what the body names; of the API key only `restart` means something: a new one. */
export const changeInstance: Handler = async (c, parts) => {
  const { id } = instanceOf(c, parts);
  const change = readChange(await bodyOf(c));
  if (id !== API_KEY_ID) return answerInstance(await parts.instances.patch(id, change, ifMatch(c)), parts);
  if (change.action === "restart") return answerInstance(await parts.instances.rotateKey(), parts);
  return answerInstance(instanceOf(c, parts), parts);
};

/** Gives an instance another URL. */
export const replaceInstance: Handler = async (c, parts) => {
  const { id } = instanceOf(c, parts);
  refuseApiKey(id);
  const { url } = readReplace(await bodyOf(c));
  return answerInstance(await parts.instances.replaceUrl(id, url, ifMatch(c)), parts);
};

/** Stops an instance and forgets it. */
export const removeInstance: Handler = async (c, parts) => {
  const { id } = instanceOf(c, parts);
  refuseApiKey(id);
  await parts.instances.remove(id, ifMatch(c));
  return c.body(null, 204);
};

/** `/instances/` */
export const missingId: Handler = () => {
  throw new ApiError(400, "Instance ID is required");
};

function ifMatch(c: MasterContext): IfMatch {
  return ifMatchOf(c.req.header("If-Match"));
}

function refuseApiKey(id: string): void {
  if (id === API_KEY_ID) throw new ApiError(403, "Forbidden: API Key");
}
