import fc from "fast-check";
import { NodePassError } from "../../../src/errors.ts";
import {
  decodeCommand,
  decodeReport,
  encodeCommand,
  encodeReport,
  type EngineCommand,
  type EngineReport,
} from "../../../src/report/messages.ts";
import type { InstanceReport } from "../../../src/report/types.ts";
import { deepEqual, equal, ok, test, throws } from "../../harness.ts";

const text = fc.string({ unit: "binary" });
const count = fc.maxSafeNat();
const run = fc.string();

const command: fc.Arbitrary<EngineCommand> = fc.oneof(
  fc.record({ kind: fc.constant("start" as const), run, url: text, portWaitMs: count }),
  fc.record({ kind: fc.constant("stop" as const), run, graceMs: count }),
  fc.record({ kind: fc.constant("sessions" as const), request: count, run }),
  fc.record({ kind: fc.constant("end_session" as const), request: count, run, session: text }),
  fc.record({ kind: fc.constant("reload" as const) }),
);

const instanceReport: fc.Arbitrary<InstanceReport> = fc.record({
  mode: count,
  ping: count,
  pool: count,
  tcps: count,
  udps: count,
  tcprx: count,
  tcptx: count,
  udprx: count,
  udptx: count,
  connections: count,
  rejections: fc.dictionary(fc.string({ minLength: 1 }).filter((key) => key !== "__proto__"), count, {
    noNullPrototype: true,
  }),
  weakKey: fc.boolean(),
});

const session = fc.record({
  id: text,
  protocol: fc.constantFrom("tcp" as const, "udp" as const),
  visitor: text,
  target: text,
  ageMs: count,
  rx: count,
  tx: count,
});

const report: fc.Arbitrary<EngineReport> = fc.oneof(
  fc.record({ kind: fc.constant("ready" as const), pid: count, version: text }),
  fc.record({
    kind: fc.constant("state" as const),
    run,
    state: fc.constantFrom("running" as const, "error" as const, "stopped" as const),
    message: text,
    entries: fc.array(text),
  }),
  fc.record({ kind: fc.constant("released" as const), run }),
  fc.record({ kind: fc.constant("checkpoint" as const), run, report: instanceReport }),
  fc.record({ kind: fc.constant("log" as const), run, line: text }),
  fc.record({ kind: fc.constant("sessions" as const), request: count, sessions: fc.array(session) }),
  fc.record({ kind: fc.constant("session_ended" as const), request: count, found: fc.boolean() }),
);

test("decodeCommand() reads what encodeCommand() wrote, in one line", () => {
  fc.assert(fc.property(command, (value) => {
    const line = encodeCommand(value);
    ok(!line.includes("\n"));
    deepEqual(decodeCommand(line), structuredClone(value));
  }));
});

test("decodeReport() reads what encodeReport() wrote, in one line", () => {
  fc.assert(fc.property(report, (value) => {
    const line = encodeReport(value);
    ok(!line.includes("\n"));
    deepEqual(decodeReport(line), structuredClone(value));
  }));
});

test("decodeCommand() and decodeReport() refuse anything else with one kind of error", () => {
  const wrong = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    command.map(encodeCommand),
    report.map(encodeReport),
  );
  fc.assert(fc.property(wrong, fc.nat(), (line, at) => {
    // One character less: mostly no JSON, sometimes another value of the same shape.
    for (const each of [line, line.slice(0, at % (line.length + 1)) + line.slice(at % (line.length + 1) + 1)]) {
      for (const decode of [decodeCommand, decodeReport]) {
        try {
          decode(each);
        } catch (error) {
          ok(error instanceof NodePassError && error.code === "protocol", `${error}`);
        }
      }
    }
  }));
});

test("decodeCommand() names the member that is wrong, and never shows a value", () => {
  const secret = "server://secret-key@:1/:2";
  for (
    const [line, expected] of [
      [`{"kind":"start","run":"a","url":"${secret}"}`, "command.portWaitMs is not an integer"],
      [`{"kind":"start","run":7,"url":"${secret}","portWaitMs":0}`, "command.run is not a text"],
      [`{"kind":"stop","run":"${secret}","graceMs":-1}`, "command.graceMs is not an integer"],
      [`{"kind":"stop","run":"${secret}","graceMs":1.5}`, "command.graceMs is not an integer"],
      [`{"kind":"${secret}"}`, "command.kind is not a kind of command"],
      [`"${secret}"`, "command is not an object"],
      [`[]`, "command is not an object"],
      [`{"kind":"start","url":"${secret}"`, "not JSON"],
    ] as const
  ) {
    throws(() => decodeCommand(line), (error: Error) => {
      equal(error.message, `Cannot read engine command: ${expected}`);
      return !error.message.includes("secret-key");
    });
  }
});

test("decodeReport() keeps unknown members out", () => {
  deepEqual(decodeReport('{"kind":"released","run":"a","more":1}'), { kind: "released", run: "a" });
});
