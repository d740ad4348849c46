/**
 * Everything that an engine and its owner tell each other: one JSON object a line, checked where it is read.
 *
 * @module
 */
import { messageOf, NodePassError } from "../errors.ts";
import { fieldsOf, readCounters, readGauges, readRejections, readSession, type Shape } from "./shapes.ts";
import type { InstanceReport, SessionRecord } from "./types.ts";

/** To an engine. A `run` is one start of an instance: its owner chooses the name, which is never used again. */
export type EngineCommand =
  | {
    readonly kind: "start";
    readonly run: string;
    /** With its key, and everything that the instance inherits. */
    readonly url: string;
    /** Its ports were another run's a moment ago: how long to wait for them before their being taken is an error. */
    readonly portWaitMs: number;
  }
  /** Its listeners close at once (`released`), its sessions may go on for a while (`stopped`). */
  | { readonly kind: "stop"; readonly run: string; readonly graceMs: number }
  | { readonly kind: "sessions"; readonly request: number; readonly run: string }
  | { readonly kind: "end_session"; readonly request: number; readonly run: string; readonly session: string }
  /** Certificate files are read again. */
  | { readonly kind: "reload" };

/** How a run goes. `error` and `stopped` are its end. */
export type RunState = "running" | "error" | "stopped";

/** From an engine. */
export type EngineReport =
  /** The first of all: commands are being read. */
  | { readonly kind: "ready"; readonly pid: number; readonly version: string }
  | {
    readonly kind: "state";
    readonly run: string;
    readonly state: RunState;
    /** Why, for `error`; else "". */
    readonly message: string;
    /** Where visitors arrive: `ip:port`. */
    readonly entries: readonly string[];
  }
  /** Nothing listens any more: the ports are free. */
  | { readonly kind: "released"; readonly run: string }
  | { readonly kind: "checkpoint"; readonly run: string; readonly report: InstanceReport }
  | { readonly kind: "log"; readonly run: string; readonly line: string }
  | { readonly kind: "sessions"; readonly request: number; readonly sessions: readonly SessionRecord[] }
  | { readonly kind: "session_ended"; readonly request: number; readonly found: boolean };

/** One line, without its newline. */
export function encodeCommand(command: EngineCommand): string {
  return JSON.stringify(command);
}

/** One line, without its newline. */
export function encodeReport(report: EngineReport): string {
  return JSON.stringify(report);
}

/**
 * Reads a command.
 *
 * @throws {NodePassError} code `protocol`
 */
export function decodeCommand(line: string): EngineCommand {
  return decode(line, "command", (message) => {
    const kind = message.text("kind");
    switch (kind) {
      case "start":
        return { kind, run: message.text("run"), url: message.text("url"), portWaitMs: message.count("portWaitMs") };
      case "stop":
        return { kind, run: message.text("run"), graceMs: message.count("graceMs") };
      case "sessions":
        return { kind, request: message.count("request"), run: message.text("run") };
      case "end_session": {
        const request = message.count("request");
        return { kind, request, run: message.text("run"), session: message.text("session") };
      }
      case "reload":
        return { kind };
      default:
        return message.refuse("kind", "a kind of command");
    }
  });
}

/**
 * Reads a report.
 *
 * @throws {NodePassError} code `protocol`
 */
export function decodeReport(line: string): EngineReport {
  return decode(line, "report", (message) => {
    const kind = message.text("kind");
    switch (kind) {
      case "ready":
        return { kind, pid: message.count("pid"), version: message.text("version") };
      case "state":
        return {
          kind,
          run: message.text("run"),
          state: message.oneOf("state", ["running", "error", "stopped"]),
          message: message.text("message"),
          entries: message.texts("entries"),
        };
      case "released":
        return { kind, run: message.text("run") };
      case "checkpoint":
        return { kind, run: message.text("run"), report: readReport(message.object("report")) };
      case "log":
        return { kind, run: message.text("run"), line: message.text("line") };
      case "sessions":
        return { kind, request: message.count("request"), sessions: message.objects("sessions").map(readSession) };
      case "session_ended":
        return { kind, request: message.count("request"), found: message.flag("found") };
      default:
        return message.refuse("kind", "a kind of report");
    }
  });
}

function readReport(report: Shape): InstanceReport {
  return {
    ...readGauges(report),
    ...readCounters(report),
    connections: report.count("connections"),
    rejections: readRejections(report.object("rejections")),
    weakKey: report.flag("weakKey"),
  };
}

function decode<T>(line: string, what: "command" | "report", read: (message: Shape) => T): T {
  try {
    return read(fieldsOf(JSON.parse(line), what));
  } catch (error) {
    // The line itself may hold a key.
    const reason = error instanceof SyntaxError ? "not JSON" : messageOf(error);
    throw new NodePassError("protocol", `Cannot read engine ${what}: ${reason}`);
  }
}
