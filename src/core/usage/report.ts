/**
 * A report on its way into the database.
 *
 * @module
 */
import type { OutboundUsageItem, ReportPlace, UsageEntry } from "../contract/types.ts";
import { Failure } from "../failure.ts";

/** What is reported: traffic of users, or of outbounds. */
export type ReportKind = "usage" | "outbound";

/** One report. */
export interface Report {
  readonly kind: ReportKind;
  readonly nodeId: number;
  readonly place: ReportPlace;
  /** Traffic of users; empty in reports of outbounds. */
  readonly entries: readonly UsageEntry[];
  /** Traffic of outbounds; empty in reports of users. */
  readonly items: readonly OutboundUsageItem[];
  /** What an equal report has in common with it; null where its place in a stream tells. */
  readonly fingerprint: string | null;
}

/** What came of a report. */
export type Outcome = "applied" | "duplicate" | Failure;

/** How much work it is. */
export function sizeOf({ entries, items }: Report): number {
  return 1 + entries.length + items.length;
}

/** The refusal of a report that skips others. */
export function seqGap(seq: number, nextSeq: number): Failure {
  return new Failure("SEQ_GAP", `Report ${seq} skips others: send ${nextSeq} first`, { nextSeq });
}
