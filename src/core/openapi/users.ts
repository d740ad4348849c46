/**
 * People, what they bought and who is online, in the OpenAPI document.
 *
 * @module
 */
import type { Json, Operation, Schema, Section } from "../../http/openapi/types.ts";
import { adminAnswers, answerRef, parameterRef, scope } from "./answers.ts";
import { answered, listOperation, nameFilter, pageSchema, recordPaths } from "./records.ts";
import {
  bytes,
  closed,
  count,
  described,
  flag,
  id,
  integer,
  ip,
  listOf,
  orNull,
  text,
  time,
  whole,
  words,
} from "./schema.ts";
import { usageOperation, usageSchemas } from "./usage.ts";

const tags = ["Users"];
const parameters = [parameterRef("Id")];
const user = "/admin/users/{id}";
const userStatus = words("active", "disabled");

const exampleUser: Json = {
  ...{ id: 9, name: "ada", note: null, status: "active", firstConnectedAt: "2026-11-02T10:00:00.000Z" },
  ...{ createdAt: "2026-11-01T09:00:00.000Z", updatedAt: "2026-11-01T09:00:00.000Z" },
};
const exampleAddress: Json = {
  ...{ ip: "198.51.100.4", firstSeenAt: "2026-11-02T10:00:00.000Z", lastSeenAt: "2026-11-21T10:04:00.000Z" },
  info: null,
};
const exampleSubscription: Json = {
  ...{ id: 12, userId: 9, name: "monthly", status: "active", limitBytes: 107374182400 },
  ...{ usedUp: 1048576, usedDown: 7340032, lifetimeUp: 1048576, lifetimeDown: 7340032 },
  ...{ periodStartedAt: "2026-11-01T00:00:00.000Z", expiresAt: "2026-12-01T00:00:00.000Z", limitReachedAt: null },
  ...{ createdAt: "2026-11-01T09:00:00.000Z", updatedAt: "2026-11-01T09:00:00.000Z" },
};

const userMembers: Readonly<Record<string, Schema>> = {
  name: text(1, 128),
  note: orNull({
    type: "string",
    maxLength: 2_000,
    pattern: "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$",
  }),
  status: userStatus,
};
const subscriptionMembers: Readonly<Record<string, Schema>> = {
  name: orNull(text(1, 128)),
  limitBytes: described(orNull(count), "Null: no limit."),
  periodStartedAt: described(time, "A later time begins a new period: what was used before it does not count."),
  expiresAt: described(orNull(time), "Null: never."),
  status: described(userStatus, "`limited` and `expired` follow from the limit and the date."),
};

const online: Operation = {
  ...{ operationId: "getUserOnline", summary: "Read whether a user is online", tags, security: scope("read") },
  description: "And on which inbounds.",
  responses: {
    "200": answered("Whether and where.", "UserOnline", {
      ...{ userId: 9, online: true, lastSeenAt: "2026-11-21T10:04:00.000Z", nodeProtocolIds: [3] },
    }),
    "404": answerRef("NotFound"),
    ...adminAnswers,
  },
};

const addresses: Operation = listOperation(
  {
    ...{ operationId: "listUserIps", summary: "List addresses of a user", tags },
    description: "From where the user was seen, and what is known of these addresses.",
  },
  "read",
  "UserIpPage",
  exampleAddress,
);

const onlineUsers: Operation = listOperation(
  { operationId: "listOnline", summary: "List who is online", description: "On one inbound or anywhere.", tags },
  "read",
  "OnlineUserPage",
  { userId: 9, lastSeenAt: "2026-11-21T10:04:00.000Z" },
  { nodeProtocolId: id },
);

/** Users and subscriptions. */
export const users: Section = {
  tag: { name: "Users", description: "People, their subscriptions, where they come from, what they use." },
  paths: {
    ...recordPaths({
      ...{ path: "/admin/users", tag: "Users", schema: "User", noun: ["user", "users"], example: exampleUser },
      create: { name: "ada" },
      change: { status: "disabled" },
      filters: { name: nameFilter, status: nameFilter },
      about: {
        create: "A user is let in nowhere before there is a link.",
        change: "Who is disabled is let in nowhere.",
        remove: "With subscriptions, links and addresses. What was counted of nodes stays.",
      },
    }),
    [`${user}/ips`]: {
      parameters,
      get: { ...addresses, responses: { ...addresses.responses, "404": answerRef("NotFound") } },
      delete: {
        ...{ operationId: "eraseUserIps", summary: "Erase addresses of a user", tags, security: scope("admin") },
        description: "Addresses are personal data. They come back when the user does.",
        responses: {
          "200": answered("How many there were.", "Erased", { ok: true, erased: 3 }),
          "404": answerRef("NotFound"),
          ...adminAnswers,
        },
      },
    },
    [`${user}/usage`]: { parameters, get: usageOperation("getUserUsage", "Read traffic of a user", tags, "UserUsage") },
    [`${user}/online`]: { parameters, get: online },
    "/admin/online": { get: onlineUsers },
    ...recordPaths({
      ...{ path: "/admin/subscriptions", tag: "Users", schema: "Subscription", example: exampleSubscription },
      noun: ["subscription", "subscriptions"],
      create: { userId: 9, name: "monthly", limitBytes: 107374182400, expiresAt: "2026-12-01T00:00:00Z" },
      change: { periodStartedAt: "2026-12-01T00:00:00Z", expiresAt: "2027-01-01T00:00:00Z" },
      filters: { userId: id, status: nameFilter },
      about: {
        create: "Links that belong to a subscription stop at its limit and at its date.",
        change: "A new `periodStartedAt` starts the counters anew.",
        remove: "Its links stay without one.",
      },
    }),
  },
  schemas: {
    User: whole({
      ...{ id, name: { type: "string" }, note: { type: ["string", "null"] }, status: userStatus },
      ...{ firstConnectedAt: orNull(time), createdAt: time, updatedAt: time },
    }),
    UserPage: pageSchema("User"),
    UserCreate: closed(["name"], userMembers),
    UserChange: closed([], userMembers),
    UserIp: whole({
      ip,
      firstSeenAt: time,
      lastSeenAt: time,
      info: { type: ["object", "null"], additionalProperties: true },
    }),
    UserIpPage: pageSchema("UserIp"),
    Erased: whole({ ok: { ...flag, const: true }, erased: integer(0) }),
    UserOnline: whole({ userId: id, online: flag, lastSeenAt: orNull(time), nodeProtocolIds: listOf(id, 100_000) }),
    OnlineUser: whole({ userId: id, lastSeenAt: time }),
    OnlineUserPage: pageSchema("OnlineUser"),
    Subscription: whole({
      ...{ id, userId: id, name: { type: ["string", "null"] } },
      status: words("active", "disabled", "limited", "expired"),
      limitBytes: { ...bytes, type: ["integer", "string", "null"] },
      ...{ usedUp: bytes, usedDown: bytes, lifetimeUp: bytes, lifetimeDown: bytes },
      ...{ periodStartedAt: time, expiresAt: orNull(time), limitReachedAt: orNull(time) },
      ...{ createdAt: time, updatedAt: time },
    }),
    SubscriptionPage: pageSchema("Subscription"),
    SubscriptionCreate: closed(["userId"], { userId: id, ...subscriptionMembers }),
    SubscriptionChange: closed([], subscriptionMembers),
    ...usageSchemas,
  },
};
