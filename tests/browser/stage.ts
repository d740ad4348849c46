/**
 * A master that runs, and a browser that looks at it.
 *
 * @module
 */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Runtime } from "../../src/runtime/types.ts";
import { type MasterHandle, startMaster } from "../../src/start/master.ts";
import { deepEqual } from "../harness.ts";
import { runtime } from "../unit/tunnel/forward_fixture.ts";

/** How the browser shows the page. */
export interface StageOptions {
  /** @default 1280 */
  readonly width?: number;
  /** @default 800 */
  readonly height?: number;
  /** @default "light" */
  readonly colorScheme?: "light" | "dark";
  /** A mouse, or fingers. @default false */
  readonly touch?: boolean;
}

/** Master and page; disposing ends both, and fails when the page had complained. */
export interface Stage extends AsyncDisposable {
  readonly master: MasterHandle;
  readonly page: Page;
  /** What the console of the page said and should not have. */
  readonly complaints: string[];
  /** Where the dashboard is. */
  readonly url: string;
  /** Ends the master and starts it again at the same place, with the same state. */
  restart(between: () => Promise<void>): Promise<void>;
  /** A call to the API, past the page. */
  api<T>(method: string, path: string, body?: unknown): Promise<T>;
}

const places: readonly string[] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = await firstOf(places);

/** Name of a test that needs the browser, and whether it is there. */
export function inBrowser(name: string): { readonly name: string; readonly ignore: boolean } {
  const ignore = executablePath === null;
  return { name: ignore ? `${name} (needs chromium)` : name, ignore };
}

/** Updates come every second instead of every five. */
const quick: Runtime = {
  ...runtime,
  process: {
    ...runtime.process,
    env: (name) => name === "NP_REPORT_INTERVAL" ? "1s" : runtime.process.env(name),
  },
};

/** Starts a master with nothing in it and opens its dashboard, in front of the door. */
export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const stateDir = await mkdtemp(join(tmpdir(), "nodepass-browser-"));
  let master = await startMaster("master://127.0.0.1:0/api", { stateDir, runtime: quick });
  const browser: Browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox"] });
  const { width = 1280, height = 800, colorScheme = "light", touch = false } = options;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, hasTouch: touch });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  const url = new URL("../", `${master.apiUrl}/`).href;
  await page.goto(url);
  return {
    get master() {
      return master;
    },
    page,
    complaints,
    url,
    async restart(between) {
      const { port } = master.addr;
      await master.close({ graceMs: 0 });
      await between();
      master = await startMaster(`master://127.0.0.1:${port}/api`, { stateDir, runtime: quick });
    },
    async api<T>(method: string, path: string, body?: unknown): Promise<T> {
      const init: RequestInit = { method, headers: { "X-API-Key": master.key.reveal() } };
      if (body !== undefined) init.body = JSON.stringify(body);
      const response = await fetch(`${master.apiUrl}/${path}`, init);
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return (text === "" ? undefined : JSON.parse(text)) as T;
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await master.close({ graceMs: 0 });
      await rm(stateDir, { recursive: true, force: true });
      deepEqual(complaints, []);
    },
  };
}

/** Signs in with the key of the master. */
export async function signIn({ page, master }: Stage): Promise<void> {
  await page.getByLabel("API key").fill(master.key.reveal());
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Live", { exact: true }).waitFor();
}

async function firstOf(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) if (await stat(path).then(() => true, () => false)) return path;
  return null;
}
