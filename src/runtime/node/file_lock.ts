/**
 * A path that one program holds at a time.
 *
 * Each contender puts a claim, an empty file named after its process, beside the path, and only then looks for others:
 * of two at the same time at least one sees the other and steps back. A claim whose process is gone is nobody's and can
 * be removed by everybody, since no process ever makes the same one again. Claims of processes out of sight (another
 * container, another machine, no permission to look) count as long as their file is touched every second.
 *
 * @module
 */
import { open, readdir, rm, stat, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { NodePassError } from "../../errors.ts";
import type { FileLock } from "../types.ts";
import { canSee, ownMark, type ProcessMark, sightOf } from "./process_mark.ts";
import { randomName } from "./random_name.ts";

/** How often a holder touches its claim. */
const BEAT_MS = 1_000;
/** A claim out of sight that was not touched for this long is nobody's. */
const PATIENCE_MS = 5_000;
/** How often a claim is made before somebody else's counts as more than a contender that will step back, too. */
const ATTEMPTS = 8;
const PAUSE_MS = { least: 5, spread: 25 } as const;

interface Claim {
  readonly path: string;
  readonly name: string;
  readonly mark: ProcessMark;
}

/** Claims of this program, whatever it can see of itself. */
const ours = new Set<string>();

/**
 * Claims `path`.
 *
 * @throws {NodePassError} code `locked`
 */
export async function lockPath(path: string): Promise<FileLock> {
  const mark = await ownMark();
  for (let attempt = 1;; attempt++) {
    const claim = await makeClaim(path, mark);
    let holder: Claim | null;
    try {
      holder = await otherHolder(path, claim);
    } catch (error) {
      await withdraw(claim);
      throw error;
    }
    if (holder === null) return hold(claim);
    await withdraw(claim);
    if (attempt === ATTEMPTS || isOutOfSight(holder, mark)) {
      throw new NodePassError("locked", `Cannot lock ${path}: process ${holder.mark.pid} holds it`);
    }
    await pause(PAUSE_MS.least + Math.random() * PAUSE_MS.spread);
  }
}

async function makeClaim(path: string, mark: ProcessMark): Promise<Claim> {
  const name = `${basename(path)}.${mark.pid}-${mark.start}-${mark.space}-${mark.boot}-${randomName()}`;
  const claim = { path: join(dirname(path), name), name, mark };
  await (await open(claim.path, "wx", 0o600)).close();
  ours.add(name);
  return claim;
}

async function withdraw({ path, name }: Claim): Promise<void> {
  ours.delete(name);
  await rm(path, { force: true });
}

/** Somebody else who is there; claims of those who are not are removed. */
async function otherHolder(path: string, own: Claim): Promise<Claim | null> {
  for (const claim of await claimsOn(path)) {
    if (claim.name === own.name) continue;
    if (ours.has(claim.name) || await isAlive(claim, own.mark)) return claim;
    await rm(claim.path, { force: true });
  }
  return null;
}

async function claimsOn(path: string): Promise<Claim[]> {
  const folder = dirname(path);
  const start = `${basename(path)}.`;
  return (await readdir(folder)).filter((name) => name.startsWith(start)).flatMap((name) => {
    const [, pid, began, space, boot] = /^(\d+)-(\d+)-(\d+)-([0-9a-f]+)-[0-9a-f]{12}$/.exec(name.slice(start.length)) ??
      [];
    if (pid === undefined || began === undefined || space === undefined || boot === undefined) return [];
    return [{ path: join(folder, name), name, mark: { pid, start: began, space, boot } }];
  });
}

/** Watching it took longer than a contender needs to step back. */
function isOutOfSight({ mark }: Claim, own: ProcessMark): boolean {
  return !canSee(own, mark);
}

async function isAlive(claim: Claim, own: ProcessMark): Promise<boolean> {
  const sight = await sightOf(claim.mark, own);
  return sight === "unknown" ? await isTouched(claim, own) : sight === "alive";
}

/** Watches a claim until it is touched, is gone or was left alone for too long. */
async function isTouched(claim: Claim, own: ProcessMark): Promise<boolean> {
  const first = await touchedAt(claim);
  if (first === null) return false;
  // The same machine has one clock: what was left alone for long needs no watching.
  const age = claim.mark.boot === own.boot && own.boot !== "0" ? Date.now() - first : 0;
  for (let left = PATIENCE_MS - Math.max(0, age); left > 0; left -= BEAT_MS / 2) {
    await pause(Math.min(left, BEAT_MS / 2));
    const now = await touchedAt(claim);
    if (now !== first) return now !== null;
  }
  return false;
}

async function touchedAt({ path }: Claim): Promise<number | null> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return null;
    throw error;
  }
}

function hold(claim: Claim): FileLock {
  let held = true;
  let released = false;
  let beating: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    const now = new Date();
    beating = utimes(claim.path, now, now).catch((error) => {
      if ((error as { code?: unknown }).code === "ENOENT") held = false;
    });
  }, BEAT_MS);
  return {
    get held() {
      return held;
    },
    async release() {
      if (released) return;
      released = true;
      held = false;
      clearInterval(timer);
      await beating;
      await withdraw(claim);
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
