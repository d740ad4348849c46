/**
 * The time limit and the cancel signal of one connection attempt, as one signal.
 *
 * @module
 */
import { NodePassError } from "../errors.ts";
import { toNodePassError } from "./error_map.ts";

/** Aborts its `signal` when the time is over or the caller's signal aborts; `end` must be called on every path. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #outer: AbortSignal | undefined;
  readonly #cancel = (): void => this.#controller.abort(this.#outer?.reason);

  constructor(limits: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined }) {
    this.#outer = limits.signal;
    this.#timer = setTimeout(() => this.#controller.abort(), limits.timeoutMs);
    if (this.#outer?.aborted) this.#cancel();
    else this.#outer?.addEventListener("abort", this.#cancel);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why the signal aborted: the deadline, or the caller. */
  error(action: string): NodePassError {
    return this.#outer?.aborted
      ? new NodePassError("closed", `${action}: cancelled`, { cause: this.#outer.reason })
      : new NodePassError("timed_out", `${action}: timed out`);
  }

  /** Stops the timer and lets go of the caller's signal. */
  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#cancel);
  }
}

/** Waits for a handshake within the deadline; `abandon` closes the connection on every failure. */
export async function withinDeadline(
  handshake: Promise<void>,
  abandon: () => void,
  deadline: Deadline,
  action: string,
): Promise<void> {
  deadline.signal.addEventListener("abort", abandon);
  try {
    if (deadline.signal.aborted) abandon();
    await handshake;
  } catch (error) {
    abandon();
    if (deadline.signal.aborted) throw deadline.error(action);
    // The handshake's own words name the same address again.
    throw error instanceof NodePassError && error.cause !== undefined ? toNodePassError(error.cause, action) : error;
  } finally {
    deadline.signal.removeEventListener("abort", abandon);
  }
}
