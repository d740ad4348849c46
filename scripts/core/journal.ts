/**
 * What an agent keeps on its disk so that traffic is reported exactly once: buckets of traffic together with the
 * counters that they end at, the batches made of them, and what Core has acknowledged.
 *
 * A bucket and a batch are on the disk before anybody hears of them. Batches that were acknowledged stay for a day: a
 * Core that was restored from a backup asks for them again.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { appendFileSync, closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Bytes } from "./traffic.ts";

/** The two kinds of reports have a stream each. */
export type ReportKind = "usage" | "outbound";

/** One report. */
export interface Batch<T> {
  readonly seq: number;
  /** Batches before it are gone for good. */
  readonly gap: boolean;
  readonly entries: readonly T[];
}

interface Bucket {
  readonly at: number;
  readonly entries: readonly unknown[];
}

interface Stream {
  id: string;
  /** The last one that was made. */
  lastSeq: number;
  /** The last one that Core has. */
  acked: number;
  /** Number of the last bucket of each batch. */
  readonly ends: Map<number, number>;
  readonly buckets: Map<number, Bucket>;
  lastBucket: number;
  /** The last bucket that is in a batch. */
  bound: number;
  readonly counters: Map<string, Bytes>;
}

type Line =
  | { readonly t: "stream"; readonly kind: ReportKind; readonly id: string }
  | {
    readonly t: "bucket";
    readonly kind: ReportKind;
    readonly id: number;
    readonly at: number;
    readonly entries: readonly unknown[];
    readonly counters: readonly (readonly [string, number, number])[];
  }
  | { readonly t: "batch"; readonly kind: ReportKind; readonly seq: number; readonly end: number }
  | { readonly t: "ack"; readonly kind: ReportKind; readonly seq: number };

const MOST_ENTRIES = 20_000;
const KEEP_MS = 24 * 3_600_000;
const KINDS: readonly ReportKind[] = ["usage", "outbound"];

/** See the module. */
export class Journal {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #streams: Record<ReportKind, Stream> = { usage: newStream(), outbound: newStream() };

  constructor(folder: string) {
    this.#path = join(folder, "journal.ndjson");
    this.#descriptor = openSync(this.#path, "a");
    this.#load();
    for (const kind of KINDS) {
      if (this.#streams[kind].id === "") this.#write({ t: "stream", kind, id: randomUUID() });
    }
  }

  /** The stream of reports of a kind. */
  streamOf(kind: ReportKind): string {
    return this.#streams[kind].id;
  }

  /** How many reports Core has acknowledged. */
  get acknowledged(): number {
    return KINDS.reduce((sum, kind) => sum + this.#streams[kind].acked, 0);
  }

  /** What a counter showed when its last bucket was closed. */
  counter(kind: ReportKind, name: string): Bytes {
    return this.#streams[kind].counters.get(name) ?? { up: 0, down: 0 };
  }

  /** Keeps a closed bucket and the counters that it ends at: both or neither. */
  close(
    kind: ReportKind,
    at: number,
    entries: readonly unknown[],
    counters: readonly (readonly [string, number, number])[],
  ): void {
    const stream = this.#streams[kind];
    this.#write({ t: "bucket", kind, id: stream.lastBucket + 1, at, entries, counters });
    for (const [seq, end] of stream.ends) {
      const bucket = stream.buckets.get(end);
      if (seq > stream.acked || bucket !== undefined && bucket.at > at - KEEP_MS) break;
      this.forget(kind, seq);
    }
  }

  /** The oldest report that Core does not have; null: it has all. Buckets that were never sent become one report. */
  next<T>(kind: ReportKind): Batch<T> | null {
    const stream = this.#streams[kind];
    const seq = [...stream.ends.keys()].find((each) => each > stream.acked) ?? this.#bind(kind);
    if (seq === null) return null;
    const entries: unknown[] = [];
    for (let id = (stream.ends.get(seq - 1) ?? this.#startOf(stream, seq)) + 1; id <= stream.ends.get(seq)!; id++) {
      for (const entry of stream.buckets.get(id)?.entries ?? []) entries.push(entry);
    }
    return { seq, gap: seq > stream.acked + 1, entries: entries as T[] };
  }

  /** Core has it. */
  ack(kind: ReportKind, seq: number): void {
    this.#write({ t: "ack", kind, seq });
  }

  /** Core asks for another one. */
  rewind(kind: ReportKind, next: number): void {
    this.#write({ t: "ack", kind, seq: next - 1 });
  }

  /** Removes a batch, as age does. */
  forget(kind: ReportKind, seq: number): void {
    const stream = this.#streams[kind];
    const end = stream.ends.get(seq);
    stream.ends.delete(seq);
    if (end === undefined) return;
    for (const id of stream.buckets.keys()) if (id <= end) stream.buckets.delete(id);
  }

  /** Leaves the file as it is: as a kill does. */
  drop(): void {
    closeSync(this.#descriptor);
  }

  #bind(kind: ReportKind): number | null {
    const stream = this.#streams[kind];
    let [end, count] = [stream.bound, 0];
    while (end < stream.lastBucket) {
      const { length } = stream.buckets.get(end + 1)?.entries ?? [];
      if (count > 0 && count + length > MOST_ENTRIES) break;
      count += length;
      end++;
    }
    if (end === stream.bound) return null;
    const seq = Math.max(stream.lastSeq, stream.acked) + 1;
    this.#write({ t: "batch", kind, seq, end });
    return seq;
  }

  /** The bucket before the first one of a batch whose forerunner is gone. */
  #startOf(stream: Stream, seq: number): number {
    const earlier = [...stream.ends].filter(([each]) => each < seq).map(([, end]) => end);
    return earlier.length > 0 ? Math.max(...earlier) : Math.min(...stream.buckets.keys(), stream.ends.get(seq)!) - 1;
  }

  #write(line: Line): void {
    writeSync(this.#descriptor, JSON.stringify(line) + "\n");
    // An acknowledgement that is lost costs one more call, nothing else.
    if (line.t !== "ack") fsyncSync(this.#descriptor);
    this.#apply(line);
  }

  #load(): void {
    const text = readFileSync(this.#path, "utf8");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    for (const line of whole.split("\n")) if (line !== "") this.#apply(JSON.parse(line) as Line);
    // A line that a kill cut in two never happened.
    if (whole.length === text.length) return;
    const descriptor = openSync(this.#path, "r+");
    ftruncateSync(descriptor, new TextEncoder().encode(whole).length);
    closeSync(descriptor);
  }

  #apply(line: Line): void {
    const stream = this.#streams[line.kind];
    if (line.t === "stream") stream.id = line.id;
    else if (line.t === "bucket") {
      stream.lastBucket = line.id;
      stream.buckets.set(line.id, { at: line.at, entries: line.entries });
      for (const [name, up, down] of line.counters) stream.counters.set(name, { up, down });
    } else if (line.t === "batch") {
      stream.lastSeq = line.seq;
      stream.bound = line.end;
      stream.ends.set(line.seq, line.end);
    } else stream.acked = line.seq;
  }
}

/** Writes a journal with one bucket after the other at once: an outage that is over. */
export function writeJournal(folder: string, buckets: readonly { at: number; entries: readonly unknown[] }[]): void {
  const lines: Line[] = [{ t: "stream", kind: "usage", id: randomUUID() }, {
    t: "stream",
    kind: "outbound",
    id: randomUUID(),
  }];
  for (const [index, { at, entries }] of buckets.entries()) {
    lines.push({ t: "bucket", kind: "usage", id: index + 1, at, entries, counters: [] });
  }
  appendFileSync(join(folder, "journal.ndjson"), lines.map((line) => JSON.stringify(line) + "\n").join(""));
}

function newStream(): Stream {
  return {
    ...{ id: "", lastSeq: 0, acked: 0, lastBucket: 0, bound: 0 },
    ...{ ends: new Map(), buckets: new Map(), counters: new Map() },
  };
}
