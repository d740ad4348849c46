/**
 * Changes of what is stored: one after the other, on disk before anybody sees them, bursts in one write.
 *
 * @module
 */
import { NodePassError } from "../errors.ts";
import { ApiError } from "../http/api_error.ts";
import type { Logger } from "../log/types.ts";
import type { Clock, Timer } from "../runtime/types.ts";

/** Counters are on disk for good this often. */
const SYNC_MS = 60_000;
/** Counters that come within this time share a write. */
const GATHER_MS = 50;
/** Writing counters takes at most this part of the time. */
const WRITING_SHARE = 0.1;

/** Changes a draft, or throws and leaves it as it is; the answer is made once the draft is on disk. */
export type Change<Draft, Answer> = (draft: Draft) => () => Answer;

/** What a {@linkcode WriteQueue} works on. */
export interface WriteQueueOptions<Draft> {
  readonly clock: Clock;
  readonly logger: Logger;
  /** A copy of everything that is to be stored. */
  readonly draft: () => Draft;
  /** @param sync whether it must survive a power cut */
  readonly save: (draft: Draft, sync: boolean) => Promise<void>;
  /** The draft is on disk, and so are the counters in it. */
  readonly saved: (draft: Draft) => void;
  /** The draft could not be stored. */
  readonly failed: () => void;
}

interface Waiting<Draft> {
  /** Null when the change was refused. */
  readonly apply: (draft: Draft) => { readonly confirm: () => void; readonly refuse: (error: unknown) => void } | null;
  readonly refuse: (error: unknown) => void;
}

/** The one way to the disk. */
export class WriteQueue<Draft> {
  readonly #options: WriteQueueOptions<Draft>;
  readonly #waiting: Waiting<Draft>[] = [];
  #running: Promise<void> | null = null;
  #counters = false;
  /** There are counters that a power cut would take. */
  #unsynced = false;
  #gathering: Timer | null = null;
  #syncedAt: number;
  #writeMs = 0;
  #closed = false;

  constructor(options: WriteQueueOptions<Draft>) {
    this.#options = options;
    this.#syncedAt = options.clock.now();
  }

  /**
   * Makes a change. Resolves with its answer once it is on disk.
   *
   * @throws {ApiError} what `change` throws; 507 when it cannot be stored, and then nothing has changed
   */
  update<Answer>(change: Change<Draft, Answer>): Promise<Answer> {
    if (this.#closed) return Promise.reject(new ApiError(503, "Shutting down"));
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.push({
      refuse: reject,
      apply: (draft) => {
        try {
          const answer = change(draft);
          return { confirm: () => confirm(answer, resolve, reject), refuse: reject };
        } catch (error) {
          reject(error);
          return null;
        }
      },
    });
    this.#start();
    return promise;
  }

  /** Counters have changed: they are written soon, without waiting for the disk itself. */
  counted(): void {
    this.#counters = true;
    this.#unsynced = true;
    if (this.#gathering !== null || this.#closed) return;
    const ms = Math.min(1000, Math.max(GATHER_MS, this.#writeMs / WRITING_SHARE));
    this.#gathering = this.#options.clock.after(ms, () => {
      this.#gathering = null;
      this.#start();
    });
  }

  /** Writes what is left, for good. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#gathering?.cancel();
    this.#gathering = null;
    await this.#running;
    if (!this.#unsynced) return;
    this.#syncedAt = -Infinity;
    this.#counters = true;
    this.#start();
    await this.#running;
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      // A change may have come between the last look and this one.
      if (this.#isBehind) this.#start();
    });
  }

  async #run(): Promise<void> {
    // Whoever asks within this turn shares the first write.
    await Promise.resolve();
    while (this.#isBehind) await this.#write();
  }

  get #isBehind(): boolean {
    return this.#waiting.length > 0 || this.#counters && this.#gathering === null;
  }

  async #write(): Promise<void> {
    const { clock, draft: makeDraft, save, saved, failed } = this.#options;
    const draft = makeDraft();
    const changes = this.#waiting.splice(0).map(({ apply }) => apply(draft)).filter((change) => change !== null);
    const counters = this.#counters;
    if (changes.length === 0 && !counters) return;
    const unsynced = this.#unsynced;
    this.#counters = false;
    this.#unsynced = false;
    const started = clock.now();
    const sync = changes.length > 0 || started - this.#syncedAt >= SYNC_MS;
    try {
      await save(draft, sync);
    } catch (error) {
      this.#unsynced ||= unsynced;
      const answer = this.#unsaved(error);
      for (const { refuse } of changes) refuse(answer);
      failed();
      // Counters stay in memory and go with the next write.
      return;
    }
    if (sync) this.#syncedAt = clock.now();
    else this.#unsynced ||= unsynced;
    this.#writeMs = clock.now() - started;
    for (const { confirm } of changes) confirm();
    saved(draft);
  }

  #unsaved(error: unknown): ApiError {
    const full = error instanceof NodePassError && error.code === "no_space";
    this.#options.logger.error("Cannot save the state", { reason: String(error) });
    return new ApiError(507, full ? "Cannot save: no space left on device" : "Cannot save the state");
  }
}

function confirm<Answer>(
  answer: () => Answer,
  resolve: (answer: Answer) => void,
  reject: (error: unknown) => void,
): void {
  try {
    resolve(answer());
  } catch (error) {
    reject(error);
  }
}
