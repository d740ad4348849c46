/**
 * Events of instances, and who hears them.
 *
 * @module
 */
import type { InstanceView } from "../instance.ts";

/** What happened. */
export type EventType = "initial" | "create" | "update" | "delete" | "shutdown" | "log";

/** One event. */
export interface InstanceEvent {
  readonly type: EventType;
  /** Null in `shutdown` alone. */
  readonly instance: InstanceView | null;
  /** A log line in `log`, else "". */
  readonly logs: string;
}

/** Where frames of one reader go: a response. */
export interface FrameSink {
  /** False when the reader is behind: nothing more until `whenWritable` calls. */
  write(frame: string): boolean;
  whenWritable(run: () => void): void;
  /** A clean end of the stream. */
  end(): void;
  /** Breaks the connection at its socket. */
  break(): void;
  /** Calls once the connection is gone, whoever ended it. */
  onClose(run: () => void): void;
}

/** The events of one master. */
export interface EventHub {
  /** Tells every reader. */
  emit(event: InstanceEvent): void;
  /**
   * Adds a reader: the missed events since `lastEventId`, then an `initial` for each instance, then what happens.
   */
  attach(sink: FrameSink, lastEventId: string | null): void;
  /** `shutdown` to every reader, flushed within a second, then the end of each stream. New readers may come afterwards. */
  endAll(): Promise<void>;
  /** For metrics. */
  readonly readers: number;
  /** Events and log lines that slow readers lost. */
  readonly dropped: number;
}
