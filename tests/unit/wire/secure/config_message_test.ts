import fc from "fast-check";
import { NodePassError } from "../../../../src/errors.ts";
import {
  type ClientConfigMessage,
  encodeConfigMessage,
  parseClientConfigMessage,
  parseServerConfigMessage,
  type ServerConfigMessage,
} from "../../../../src/wire/secure/config_message.ts";
import { encodeConfig, MAX_CONFIG_BYTES } from "../../../../src/wire/secure/frames.ts";
import { deepEqual, test, throws } from "../../../harness.ts";

const SERVER: ServerConfigMessage = {
  flow: "reverse",
  maxLinks: 1_024,
  tcp: true,
  udp: false,
  delaysSmallWrites: true,
  reportIntervalMs: 5_000,
  version: "1.0.0",
};
const CLIENT: ClientConfigMessage = { minLinks: 64, delaysSmallWrites: false, version: "1.0.0" };

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

test("configuration comes back as it went", () => {
  deepEqual(parseServerConfigMessage(encodeConfigMessage(SERVER)), SERVER);
  deepEqual(parseClientConfigMessage(encodeConfigMessage(CLIENT)), CLIENT);
  encodeConfig(encodeConfigMessage(SERVER));
});

test("members of newer peers are ignored", () => {
  deepEqual(parseServerConfigMessage(json({ ...SERVER, added: [1] })), SERVER);
  deepEqual(parseClientConfigMessage(json({ ...CLIENT, added: { x: null } })), CLIENT);
});

test("every bad member is refused by name", () => {
  const cases: [keyof ServerConfigMessage, unknown][] = [
    ["flow", "+"],
    ["flow", undefined],
    ["maxLinks", 0],
    ["maxLinks", 1.5],
    ["maxLinks", 1e9],
    ["tcp", 1],
    ["udp", "true"],
    ["delaysSmallWrites", null],
    ["reportIntervalMs", -1],
    ["version", "x".repeat(65)],
    ["version", 1],
  ];
  for (const [name, value] of cases) {
    const message = new RegExp(`"${name}"`);
    throws(() => parseServerConfigMessage(json({ ...SERVER, [name]: value })), { code: "protocol", message });
  }
  throws(() => parseClientConfigMessage(json({ ...CLIENT, minLinks: 0 })), { code: "protocol", message: /"minLinks"/ });
});

test("what is no object, no JSON, no UTF-8 or too large is refused", () => {
  const texts = ["", "null", "[]", "1", '"x"', "{", "{} {}"].map((text) => new TextEncoder().encode(text));
  const deep = new TextEncoder().encode("[".repeat(MAX_CONFIG_BYTES));
  const large = json({ ...SERVER, padding: "x".repeat(MAX_CONFIG_BYTES) });
  for (const bytes of [...texts, deep, large, new Uint8Array([0x7b, 0xff, 0x7d])]) {
    throws(() => parseServerConfigMessage(bytes), { code: "protocol" });
    throws(() => parseClientConfigMessage(bytes), { code: "protocol" });
  }
});

test("random JSON and random bytes never throw anything but a protocol error", () => {
  const input = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.json().map((text) => new TextEncoder().encode(text)));
  fc.assert(
    fc.property(input, (bytes) => {
      try {
        parseServerConfigMessage(bytes);
        return false;
      } catch (error) {
        return error instanceof NodePassError && error.code === "protocol";
      }
    }),
    { numRuns: 5_000 },
  );
});
