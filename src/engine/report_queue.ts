/**
 * Reports on their way to an owner who may be slow: bounded in memory, and never in the way of the tunnels.
 *
 * @module
 */
import { encodeReport, type EngineReport } from "../report/messages.ts";

/** Log lines that wait; above this they are left out. */
const MOST_LOG_BYTES = 262_144;
/** Reports travel together up to this size. */
const BATCH_BYTES = 65_536;

interface Waiting {
  text: string;
  readonly log: boolean;
  /** The run whose checkpoint this is, while it is not on its way. */
  readonly checkpoint: string | null;
}

/** See the module. */
export class ReportQueue {
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #encoder = new TextEncoder();
  #waiting: Waiting[] = [];
  /** A newer checkpoint takes the place of one that nobody has read. */
  readonly #checkpoints = new Map<string, Waiting>();
  #logBytes = 0;
  readonly #leftOut = new Map<string, number>();
  #writing: Promise<void> | null = null;

  /** @param write resolves when there is room for more */
  constructor(write: (bytes: Uint8Array) => Promise<void>) {
    this.#write = write;
  }

  /** Takes one report. */
  add(report: EngineReport): void {
    if (report.kind === "log") this.#addLog(report);
    else if (report.kind === "checkpoint") this.#addCheckpoint(report);
    else this.#push({ text: encodeReport(report), log: false, checkpoint: null });
    this.#writing ??= this.#run();
  }

  /** Resolves when everything was written. */
  async flush(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  #addLog(report: Extract<EngineReport, { kind: "log" }>): void {
    const { run } = report;
    const text = encodeReport(report);
    if (this.#logBytes + text.length > MOST_LOG_BYTES) {
      this.#leftOut.set(run, (this.#leftOut.get(run) ?? 0) + 1);
      return;
    }
    const lines = this.#leftOut.get(run);
    if (lines !== undefined) {
      this.#leftOut.delete(run);
      this.#pushLog(encodeReport({ kind: "log", run, line: `${lines} lines left out: nobody read them in time` }));
    }
    this.#pushLog(text);
  }

  #pushLog(text: string): void {
    this.#logBytes += text.length;
    this.#push({ text, log: true, checkpoint: null });
  }

  #addCheckpoint(report: Extract<EngineReport, { kind: "checkpoint" }>): void {
    const text = encodeReport(report);
    const unread = this.#checkpoints.get(report.run);
    if (unread !== undefined) {
      unread.text = text;
      return;
    }
    const waiting: Waiting = { text, log: false, checkpoint: report.run };
    this.#checkpoints.set(report.run, waiting);
    this.#push(waiting);
  }

  #push(waiting: Waiting): void {
    this.#waiting.push(waiting);
  }

  async #run(): Promise<void> {
    // Reports of one turn travel together.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#write(this.#encoder.encode(this.#batch()));
    this.#writing = null;
  }

  #batch(): string {
    let text = "";
    let taken = 0;
    for (const { text: line, log, checkpoint } of this.#waiting) {
      if (taken > 0 && text.length + line.length > BATCH_BYTES) break;
      taken++;
      text += line + "\n";
      if (log) this.#logBytes -= line.length;
      if (checkpoint !== null) this.#checkpoints.delete(checkpoint);
    }
    this.#waiting = this.#waiting.slice(taken);
    return text;
  }
}
