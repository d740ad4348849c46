/**
 * Traffic that is known beforehand: counters that only rise, as a function of the time. What an agent was killed in the
 * middle of is therefore known as well.
 *
 * @module
 */

/** Counters move in steps of this length. */
const STEP_MS = 100;

/** From when to when traffic flows; UTC milliseconds. */
export interface Span {
  readonly startedAt: number;
  readonly endsAt: number;
}

/** Bytes since the start, both directions. */
export interface Bytes {
  readonly up: number;
  readonly down: number;
}

/** What a counter shows at a time. */
export function counterAt(name: string, { startedAt, endsAt }: Span, at: number): Bytes {
  const steps = Math.max(0, Math.floor((Math.min(at, endsAt) - startedAt) / STEP_MS));
  const rate = 1 + hash(name) % 9_973;
  return { up: steps * rate, down: steps * rate * 7 };
}

/** What all counters together show in the end. */
export function totalOf(names: Iterable<string>, span: Span): Bytes {
  let [up, down] = [0, 0];
  for (const name of names) {
    const bytes = counterAt(name, span, span.endsAt);
    up += bytes.up;
    down += bytes.down;
  }
  return { up, down };
}

/** The name of the counter of an outbound. */
export function outboundCounter(code: string, tag: string): string {
  return `${code}>>>outbound>>>${tag}`;
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return value;
}
