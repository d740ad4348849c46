/**
 * What a fault relay can do to one direction of a connection.
 *
 * @module
 */

/** `up`: from who connected to the relay towards the target; `down`: back. */
export type Direction = "up" | "down";

/** Where a change applies. */
export type Directions = Direction | "both";

/** The state of one direction; everything can be changed while bytes flow. */
export interface Faults {
  /** Every byte arrives this much later; the throughput stays. @default 0 */
  readonly latencyMs: number;
  /** 0 = unlimited. @default 0 */
  readonly bytesPerSecond: number;
  /**
   * Nothing passes and nothing is read, ends and resets included, as when packets vanish; lifted, all of it arrives.
   * @default false
   */
  readonly blackHole: boolean;
  /** Largest single write; 0 = as it came. @default 0 */
  readonly sliceBytes: number;
  /** Inverts one bit of the byte at this offset of the stream; null = none. @default null */
  readonly corruptAt: number | null;
  /** Inverts one bit of every nth byte; 0 = none. @default 0 */
  readonly corruptEvery: number;
  /** Cuts the connection once this many bytes passed; null = never. @default null */
  readonly limitBytes: number | null;
  /** How `limitBytes` cuts. @default "reset" */
  readonly limitEnd: "reset" | "close";
}

/** A relay that does nothing but relay. */
export const NO_FAULTS: Faults = Object.freeze({
  latencyMs: 0,
  bytesPerSecond: 0,
  blackHole: false,
  sliceBytes: 0,
  corruptAt: null,
  corruptEvery: 0,
  limitBytes: null,
  limitEnd: "reset",
});

/** The faults of both directions after a change. */
export function changed(
  now: Readonly<Record<Direction, Faults>>,
  change: Partial<Faults>,
  directions: Directions,
): Record<Direction, Faults> {
  return {
    up: directions === "down" ? now.up : { ...now.up, ...change },
    down: directions === "up" ? now.down : { ...now.down, ...change },
  };
}

/** Inverts bits of `bytes`, which starts at `offset` of its stream, as `faults` asks. */
export function corrupt(bytes: Uint8Array, offset: number, faults: Faults): void {
  const { corruptAt, corruptEvery } = faults;
  if (corruptAt !== null && corruptAt >= offset && corruptAt < offset + bytes.length) bytes[corruptAt - offset]! ^= 1;
  if (corruptEvery <= 0) return;
  const first = (corruptEvery - 1 - offset % corruptEvery + corruptEvery) % corruptEvery;
  for (let i = first; i < bytes.length; i += corruptEvery) bytes[i]! ^= 1;
}
