/**
 * An engine as a process: commands on standard input, reports on standard output.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import { LineReader } from "../report/line_reader.ts";
import { decodeCommand } from "../report/messages.ts";
import { VERSION } from "../version.ts";
import { EngineHost } from "./host.ts";
import { ReportQueue } from "./report_queue.ts";
import type { EngineParts } from "./types.ts";

/** How long the last reports may take, when whoever should read them is gone or stuck. */
const LAST_REPORTS_MS = 500;

/** Serves until standard input ends; then nothing listens any more, and sessions may go on for a while. */
export async function serveEngine(parts: Omit<EngineParts, "report">): Promise<void> {
  const { runtime, settings } = parts;
  const { process, clock } = runtime;
  const reports = new ReportQueue((bytes) => process.writeOutput(bytes));
  const host = new EngineHost({ ...parts, report: (report) => reports.add(report) });
  const trouble = (error: unknown): void => process.stderr(`${messageOf(error)}\n`);
  const lines = new LineReader((line) => {
    try {
      host.command(decodeCommand(line));
    } catch (error) {
      trouble(error);
    }
  });
  reports.add({ kind: "ready", pid: process.pid, version: VERSION });
  const broken = Promise.withResolvers<void>();
  const input = process.readInput((bytes) => {
    try {
      lines.push(bytes);
    } catch (error) {
      trouble(error);
      broken.resolve();
    }
  });
  await Promise.race([input, broken.promise]);
  await host.close(settings.shutdownTimeoutMs);
  const late = Promise.withResolvers<void>();
  const timer = clock.after(LAST_REPORTS_MS, late.resolve);
  await Promise.race([reports.flush(), late.promise]);
  timer.cancel();
}
