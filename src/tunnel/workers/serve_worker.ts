/**
 * The life of a worker: an ordinary instance whose owner is the main thread.
 *
 * @module
 */
import type { TunnelConfig } from "../../config/types.ts";
import { Secret } from "../../config/secret.ts";
import { messageOf, NodePassError } from "../../errors.ts";
import type { Runtime, ThreadParent, Timer } from "../../runtime/types.ts";
import type { TunnelContext } from "../context.ts";
import { createContext, type OwnedContext } from "../create_context.ts";
import type { TunnelHandle } from "../types.ts";
import { CrewMember } from "./crew_member.ts";
import { ForwardingLogger } from "./forwarding_logger.ts";
import { answer } from "./mailbox.ts";
import type {
  FromWorker,
  KeylessConfig,
  PlainError,
  Question,
  ToWorker,
  WorkerReport,
  WorkerStart,
} from "./messages.ts";

/** What is counted reaches the main thread at least this often: it is what stays of a worker that crashes. */
const REPORT_MS = 1_000;

/** Starts an instance of the kind that the configuration says. */
export type StartRole = (context: TunnelContext) => Promise<TunnelHandle>;

/** Serves whoever started this thread. */
export function serveWorker(parent: ThreadParent, runtime: Runtime, startRole: StartRole): void {
  const worker = new Worker(parent, runtime, startRole);
  parent.onCrash((error) => worker.send({ kind: "crashed", reason: messageOf(error) }));
  parent.onMessage((message) => worker.heard(message as ToWorker));
  worker.send({ kind: "hello" });
}

class Worker {
  readonly #parent: ThreadParent;
  readonly #runtime: Runtime;
  readonly #startRole: StartRole;
  #mailbox: SharedArrayBuffer | null = null;
  #crew: CrewMember | null = null;
  #owned: OwnedContext<TunnelConfig> | null = null;
  #handle: TunnelHandle | null = null;
  #reports: Timer | null = null;

  constructor(parent: ThreadParent, runtime: Runtime, startRole: StartRole) {
    this.#parent = parent;
    this.#runtime = runtime;
    this.#startRole = startRole;
  }

  send(message: FromWorker): void {
    this.#parent.send(message);
  }

  heard(message: ToWorker): void {
    switch (message.kind) {
      case "start":
        return void this.#start(message);
      case "peer":
        this.#crew?.heard(message.message);
        if (message.acknowledge !== null) this.send({ kind: "acknowledged", acknowledge: message.acknowledge });
        return;
      case "published":
        return this.#crew?.settled(message.call, message.refusal);
      case "claimed":
        return this.#crew?.settled(message.call, message.addresses);
      case "unclaimed":
        return this.#crew?.refused(message.call, message.error);
      case "ask":
        return answer(this.#mailbox!, message.turn, this.#answer(message.question));
      case "reload":
        return void this.#handle?.reload().finally(() => this.send({ kind: "reloaded", call: message.call }));
      case "close":
        return void this.#close(message.graceMs);
    }
  }

  async #start(start: WorkerStart): Promise<void> {
    const { clock } = this.#runtime;
    const send = (message: FromWorker): void => this.send(message);
    this.#mailbox = start.mailbox;
    this.#crew = new CrewMember(start, send, clock.now());
    const logger = new ForwardingLogger(
      start.levels,
      (level, message, fields) => send({ kind: "log", level, message, fields }),
    );
    this.#owned = createContext(withoutKey(start.config), this.#runtime, logger, this.#crew);
    try {
      this.#handle = await this.#startRole(this.#owned.context);
    } catch (error) {
      return send({ kind: "failed", error: plainError(error) });
    }
    this.#handle.finished.catch((error: unknown) => send({ kind: "failed", error: plainError(error) }));
    this.#reports = clock.every(REPORT_MS, () => send({ kind: "report", report: this.#report() }));
    send({ kind: "report", report: this.#report() });
    send({ kind: "started" });
  }

  async #close(graceMs: number): Promise<void> {
    await this.#handle?.close({ graceMs });
    this.#reports?.cancel();
    this.#owned?.close();
    if (this.#handle !== null) this.send({ kind: "report", report: this.#report() });
    this.send({ kind: "closed" });
  }

  #report(): WorkerReport {
    return { stats: this.#handle!.stats(), opened: this.#owned!.context.ledger.opened };
  }

  #answer(question: Question): unknown {
    if (this.#handle === null) return null;
    switch (question.about) {
      case "report":
        return this.#report();
      case "sessions":
        return this.#handle.sessions();
      case "end":
        return this.#handle.endSession(question.session);
    }
  }
}

/** Workers have what was derived from the key, never the key. */
function withoutKey(config: KeylessConfig): TunnelConfig {
  return { ...config, key: { secret: new Secret(""), origin: "url" } } as TunnelConfig;
}

function plainError(error: unknown): PlainError {
  return { code: error instanceof NodePassError ? error.code : "io", message: messageOf(error) };
}
