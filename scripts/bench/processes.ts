/**
 * The processes of one run: each is stopped by its id, in bounded time.
 *
 * @module
 */

const STOP_MS = 3000;
const TAIL_CHARACTERS = 4000;

/** A process that runs until it is stopped. */
export interface Running {
  readonly name: string;
  readonly pid: number;
  /** The end of what it printed. */
  output(): string;
  /** Resolves once the line was printed; rejects when the process ends first or the time is up. */
  printed(text: string, timeoutMs: number): Promise<void>;
  readonly exited: Promise<number>;
  stop(): Promise<void>;
}

/** Options of {@linkcode Processes.start}. */
export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Starts processes and stops what is left of them at the end. */
export class Processes {
  readonly #running = new Set<Running>();
  readonly #closing = new AbortController();

  start(name: string, command: readonly string[], options: StartOptions = {}): Running {
    this.#closing.signal.throwIfAborted();
    const [program, ...args] = command;
    const child = new Deno.Command(program!, { args, stdin: "null", stdout: "piped", stderr: "piped", ...options })
      .spawn();
    const tail = new Tail();
    void tail.drain(child.stdout);
    void tail.drain(child.stderr);
    const exited = child.status.then((status) => status.code);
    const running: Running = {
      name,
      pid: child.pid,
      exited,
      output: () => tail.text,
      printed: (text, timeoutMs) => tail.has(name, text, timeoutMs, exited),
      stop: async () => {
        this.#running.delete(running);
        signal(child, "SIGTERM");
        const timer = setTimeout(() => signal(child, "SIGKILL"), STOP_MS);
        await exited;
        clearTimeout(timer);
      },
    };
    this.#running.add(running);
    void exited.then(() => this.#running.delete(running));
    return running;
  }

  /** Runs a program to its end and returns what it printed; a load that hangs or fails is an error with its output. */
  async run(command: readonly string[], timeoutMs: number): Promise<string> {
    const [program, ...args] = command;
    this.#closing.signal.throwIfAborted();
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#closing.signal]);
    const child = new Deno.Command(program!, { args, stdin: "null", stdout: "piped", stderr: "piped", signal });
    const { success, stdout, stderr } = await child.output();
    const text = new TextDecoder().decode(stdout);
    if (success) return text;
    const why = signal.aborted ? `no end within ${timeoutMs} ms` : new TextDecoder().decode(stderr) + text;
    throw new Error(`Load "${command.slice(0, 6).join(" ")}" failed: ${why.slice(-1500)}`);
  }

  /** Stops all; nothing starts afterwards, so that work which goes on during an interrupt leaves nothing behind. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("The benchmark was interrupted"));
    await this.stopAll();
  }

  /** Stops what a failed measurement left running. */
  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map((running) => running.stop()));
  }
}

/** The end of a process's output, and who waits for a text in it. */
class Tail {
  text = "";
  readonly #watchers = new Set<() => void>();

  async drain(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      this.text = (this.text + part).slice(-TAIL_CHARACTERS);
      for (const watcher of this.#watchers) watcher();
    }
  }

  has(name: string, text: string, timeoutMs: number, exited: Promise<number>): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: Error) => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        if (error === undefined) resolve();
        else reject(error);
      };
      const look = () => this.text.includes(text) && done();
      const fail = (why: string) => done(new Error(`${name} did not print "${text}": ${why}\n${this.text}`));
      const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
      void exited.then((code) => fail(`it ended with code ${code}`));
      this.#watchers.add(look);
      look();
    });
  }
}

function signal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch {
    // It has ended already.
  }
}
