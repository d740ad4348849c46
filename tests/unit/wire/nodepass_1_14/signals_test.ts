import fc from "fast-check";
import {
  encodeSignal,
  MAX_LINE_BYTES,
  parseRemote,
  type Signal,
  SignalReader,
} from "../../../../src/wire/nodepass_1_14/signals.ts";
import { deepEqual, equal, ok, test, throws } from "../../../harness.ts";

const KEY = new TextEncoder().encode("secret");
/** Recorded with this key. */
const PING = "CEcCEREdHAtBSEcEGgsEUBg=\n";
const PONG = "CEcCEREdHAtBSEcEHAsEUBg=\n";

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** A line that carries this text under this key. */
function lineOf(json: string, key: Uint8Array = KEY): Uint8Array {
  const bytes = text(json).map((byte, at) => key.length === 0 ? byte : byte ^ key[at % key.length]!);
  return text(`${btoa(String.fromCharCode(...bytes))}\n`);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Feeds `bytes` in pieces of these sizes, over and over. */
function readAll(reader: SignalReader, bytes: Uint8Array, sizes: readonly number[]): Signal[] {
  const signals: Signal[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    signals.push(...reader.push(bytes.subarray(at, at + size)));
    at += size;
  }
  return signals;
}

const id = fc.uint8Array({ minLength: 4, maxLength: 4 })
  .map((bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""));
const remote = fc.oneof(
  fc.tuple(fc.ipV4(), fc.nat(65_535)).map(([host, port]) => `${host}:${port}`),
  fc.constant("[::1]:80"),
);
const signal: fc.Arbitrary<Signal> = fc.oneof(
  fc.record({ action: fc.constantFrom("ping", "pong", "flush") }, { noNullPrototype: true }),
  fc.record({ action: fc.constantFrom("tcp", "udp"), remote, id }, { noNullPrototype: true }),
  fc.record({ action: fc.constant("verify" as const), id, fp: fc.string({ maxLength: 256, unit: "grapheme-ascii" }) }, {
    noNullPrototype: true,
  }),
);
const key = fc.uint8Array({ maxLength: 40 });
const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 8 });

test("encodeSignal() writes the lines of the Go program", () => {
  const decoded = (signal: Signal): string => {
    const bytes = Uint8Array.from(
      atob(new TextDecoder().decode(encodeSignal(signal, KEY)).trim()),
      (c) => c.charCodeAt(0),
    );
    return new TextDecoder().decode(bytes.map((byte, at) => byte ^ KEY[at % KEY.length]!));
  };
  equal(decoded({ action: "ping" }), '{"action":"ping"}');
  equal(
    decoded({ id: "16218921", remote: "127.0.0.1:58366", action: "tcp" }),
    '{"action":"tcp","remote":"127.0.0.1:58366","id":"16218921"}',
  );
  equal(
    decoded({ fp: "sha256:AA", id: "00000001", action: "verify" }),
    '{"action":"verify","id":"00000001","fp":"sha256:AA"}',
  );
  equal(new TextDecoder().decode(encodeSignal({ action: "ping" }, KEY)), PING);
  equal(new TextDecoder().decode(encodeSignal({ action: "pong" }, KEY)), PONG);
});

test("SignalReader reads what was recorded, several lines at once and with a carriage return", () => {
  const reader = new SignalReader(KEY, (reason) => throwing(reason));
  deepEqual(reader.push(text(PING + PONG)), [{ action: "ping" }, { action: "pong" }]);
  deepEqual(reader.push(text(PING.replace("\n", "\r\n"))), [{ action: "ping" }]);
});

test("SignalReader gives back any signals under any key, however the bytes are cut", () => {
  fc.assert(fc.property(fc.array(signal, { maxLength: 12 }), key, sizes, (signals, secret, pieces) => {
    const reader = new SignalReader(secret, (reason) => throwing(reason));
    deepEqual(readAll(reader, join(signals.map((one) => encodeSignal(one, secret))), pieces), signals);
  }));
});

test("SignalReader skips any bytes that are no signals, and reads the next line", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 4_000 }), sizes, (noise, pieces) => {
    const skipped: string[] = [];
    const reader = new SignalReader(KEY, (reason) => skipped.push(reason));
    const lines = noise.reduce((count, byte) => count + (byte === 10 ? 1 : 0), 1);
    const signals = readAll(reader, join([noise, text("\n"), encodeSignal({ action: "flush" }, KEY)]), pieces);
    deepEqual(signals, [{ action: "flush" }]);
    equal(skipped.length, lines);
  }));
});

test("SignalReader skips any JSON under the key that is no signal", () => {
  fc.assert(fc.property(fc.json(), (json) => {
    const skipped: string[] = [];
    deepEqual(new SignalReader(KEY, (reason) => skipped.push(reason)).push(lineOf(json)), []);
    equal(skipped.length, 1);
  }));
});

test("SignalReader says why a signal is skipped", () => {
  const cases: readonly (readonly [json: string, reason: RegExp])[] = [
    ['{"action":"dance"}', /unknown action "dance"/],
    [`{"action":"${"x".repeat(99)}"}`, /unknown action "x{32}"$/],
    ["{}", /without an action/],
    ["null", /no JSON object/],
    ['{"action":"tcp","remote":"127.0.0.1:1"}', /tcp signal without a link id/],
    ['{"action":"udp","id":"0000000g","remote":"127.0.0.1:1"}', /udp signal without a link id/],
    ['{"action":"tcp","id":"00000001"}', /without an address/],
    ['{"action":"tcp","id":"00000001","remote":"localhost:1"}', /without an address/],
    [`{"action":"tcp","id":"00000001","remote":"${"1".repeat(300)}:1"}`, /without an address/],
    ['{"action":"verify","fp":"a"}', /verify signal without a link id/],
    ['{"action":"verify","id":"00000001","fp":5}', /without a fingerprint/],
    [`{"action":"verify","id":"00000001","fp":"${"a".repeat(257)}"}`, /without a fingerprint/],
    ["not json", /no signal under this key/],
  ];
  for (const [json, expected] of cases) {
    const skipped: string[] = [];
    deepEqual(new SignalReader(KEY, (reason) => skipped.push(reason)).push(lineOf(json)), [], json);
    ok(skipped.length === 1 && expected.test(skipped[0]!), `${json}: ${skipped}`);
  }
  const skipped: string[] = [];
  new SignalReader(text("other"), (reason) => skipped.push(reason)).push(encodeSignal({ action: "ping" }, KEY));
  deepEqual(skipped, ["a line that is no signal under this key"]);
});

test("SignalReader ignores members that it does not know and reads ids in upper case", () => {
  const reader = new SignalReader(KEY, (reason) => throwing(reason));
  const line = lineOf('{"id":"ABCDEF01","more":[1],"remote":"10.0.0.1:5","action":"udp"}');
  deepEqual(reader.push(line), [{ action: "udp", remote: "10.0.0.1:5", id: "abcdef01" }]);
});

test("SignalReader ends at a line that is too long, in one piece or in many", () => {
  for (const size of [1, 100, MAX_LINE_BYTES + 1]) {
    const longest = new SignalReader(KEY, () => {});
    deepEqual(readAll(longest, text("A".repeat(MAX_LINE_BYTES) + "\n"), [size]), []);
    throws(
      () => readAll(new SignalReader(KEY, () => {}), text("A".repeat(MAX_LINE_BYTES + 1)), [size]),
      /more than 8192/,
    );
  }
});

test("parseRemote() takes literal IPs with a port alone", () => {
  deepEqual(parseRemote("127.0.0.1:58366"), { host: "127.0.0.1", port: 58366 });
  deepEqual(parseRemote("[::1]:5"), { host: "::1", port: 5 });
  deepEqual(parseRemote("[fe80::1%eth0]:5"), { host: "fe80::1", port: 5 });
  deepEqual(parseRemote("[::ffff:10.0.0.1]:5"), { host: "10.0.0.1", port: 5 });
  for (const bad of ["", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:5", "name:5", "[::1]5", "1.2.3.4:5:6"]) {
    equal(parseRemote(bad), null, bad);
  }
});

function throwing(reason: string): never {
  throw new Error(reason);
}
