import { utimesSync } from "node:fs";
import { chmod, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { FileLock, Runtime } from "../../src/runtime/types.ts";
import { deepEqual, equal, match, ok, rejects, test, underDeno } from "../harness.ts";
import { startChild } from "./runtime_children.ts";
import { failure, text } from "./runtime_scope.ts";

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "runtime_files_"));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Files, folders and locks. */
export function filesSuite(name: string, runtime: Runtime): void {
  const { files } = runtime;

  test(`${name}: files.readText() and modifiedAt() read text and times, a missing file says not_found`, () =>
    inFolder(async (folder) => {
      const path = join(folder, "a.pem");
      await writeFile(path, "grüße\n");
      await utimes(path, 1_000, 2_000);
      equal(await files.readText(path), "grüße\n");
      equal(await files.modifiedAt(path), 2_000_000);
      const missing = join(folder, "none");
      await rejects(files.readText(missing), failure("not_found", /^Cannot read .*none: no such file$/));
      await rejects(files.modifiedAt(missing), failure("not_found"));
    }));

  test(`${name}: files.readBytes() reads up to its limit`, () =>
    inFolder(async (folder) => {
      const path = join(folder, "bytes");
      const bytes = new Uint8Array(200_000).map((_, index) => index % 251);
      await writeFile(path, bytes);
      deepEqual(await files.readBytes(path, 200_000), bytes);
      await rejects(files.readBytes(path, 199_999), failure("limit", /more than 199999 bytes$/));
      await writeFile(path, "");
      equal((await files.readBytes(path, 10)).length, 0);
      await rejects(files.readBytes(join(folder, "none"), 10), failure("not_found"));
      await rejects(files.readBytes(folder, 10), failure("io"));
    }));

  test(`${name}: files.writeAtomically() makes and replaces files with exactly this mode`, () =>
    inFolder(async (folder) => {
      const path = join(folder, "state.json");
      for (const [content, mode, sync] of [["one", 0o600, true], ["a longer two", 0o666, false]] as const) {
        await files.writeAtomically(path, text(content), { mode, sync });
        equal(await readFile(path, "utf8"), content);
        equal((await stat(path)).mode & 0o777, mode);
      }
      await files.writeAtomically(path, new Uint8Array(0), { mode: 0o600 });
      equal(await readFile(path, "utf8"), "");
      deepEqual(await readdir(folder), ["state.json"]);
    }));

  test(`${name}: files.writeAtomically() leaves nothing behind when it fails`, () =>
    inFolder(async (folder) => {
      await files.makeDirectory(join(folder, "taken/inside"), 0o700);
      await rejects(files.writeAtomically(join(folder, "taken"), text("x"), { mode: 0o600 }), failure("io"));
      deepEqual(await readdir(folder), ["taken"]);
      await rejects(
        files.writeAtomically(join(folder, "none/x"), text("x"), { mode: 0o600 }),
        failure("not_found", /^Cannot write .*none\/x: no such file$/),
      );
    }));

  test(`${name}: files.rename(), remove(), makeDirectory(), list() and exists()`, () =>
    inFolder(async (folder) => {
      const deep = join(folder, "a/b");
      await files.makeDirectory(deep, 0o700);
      equal((await stat(deep)).mode & 0o777, 0o700);
      await chmod(deep, 0o750);
      await files.makeDirectory(deep, 0o700);
      equal((await stat(deep)).mode & 0o777, 0o750);
      for (const file of ["2", "1", "3"]) await writeFile(join(deep, file), file);
      await files.rename(join(deep, "3"), join(deep, "1"));
      deepEqual(await files.list(deep), ["1", "2"]);
      equal(await readFile(join(deep, "1"), "utf8"), "3");
      await files.remove(join(deep, "2"));
      await files.remove(join(deep, "2"));
      deepEqual([await files.exists(deep), await files.exists(join(deep, "1"))], [true, true]);
      deepEqual([await files.exists(join(deep, "2")), await files.exists(join(deep, "1/x"))], [false, false]);
      await rejects(files.list(join(folder, "none")), failure("not_found"));
      await rejects(files.rename(join(folder, "none"), join(folder, "x")), failure("not_found"));
    }));

  test(`${name}: files.lock() gives a path to one holder at a time`, () =>
    inFolder(async (folder) => {
      const path = join(folder, "lock");
      const first = await files.lock(path);
      equal(first.held, true);
      const other = await files.lock(join(folder, "lock.other"));
      await rejects(files.lock(path), failure("locked", new RegExp(`: process ${runtime.process.pid} holds it$`)));
      await first.release();
      await first.release();
      equal(first.held, false);
      const second = await files.lock(path);
      await second.release();
      await other.release();
      deepEqual(await readdir(folder), []);
      await rejects(files.lock(join(folder, "none/lock")), failure("not_found"));
    }));

  test(`${name}: files.lock() never has two holders, however many ask at once`, () =>
    inFolder(async (folder) => {
      const path = join(folder, "lock");
      let holders = 0;
      let successes = 0;
      const contend = async (): Promise<void> => {
        const lock: FileLock | null = await files.lock(path).catch(() => null);
        if (lock === null) return;
        holders++;
        successes++;
        equal(holders, 1);
        await new Promise<void>((resolve) => void runtime.clock.after(1, resolve));
        holders--;
        await lock.release();
      };
      await Promise.all(Array.from({ length: 12 }, contend));
      ok(successes <= 12);
      await contend();
      ok(successes > 0);
      deepEqual(await readdir(folder), []);
    }));

  test(`${name}: files.lock() outlives no kill`, () =>
    inFolder(async (folder) => {
      const path = join(folder, "lock");
      const child = startChild("runtime_lock_child.ts", runtime.name, path);
      const [, pid] = (await child.line()).split(" ");
      await rejects(files.lock(path), failure("locked", new RegExp(`process ${pid} holds it`)));
      for (const other of underDeno ? ["deno", "node"] : ["node"]) {
        const second = startChild("runtime_lock_child.ts", other, path);
        match(await second.line(), new RegExp(`process ${pid} holds it`));
        await second.ended;
      }
      child.kill("SIGKILL");
      await child.ended;
      equal((await readdir(folder)).length, 1);
      const lock = await files.lock(path);
      equal((await readdir(folder)).length, 1);
      await lock.release();
    }));

  test(`${name}: files.lock() waits for a sign of life of claims out of sight`, () =>
    inFolder(async (folder) => {
      const path = join(folder, "lock");
      // Another container on this machine.
      const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).slice(0, 8);
      const claim = join(folder, `lock.1-77-4026500000-${boot}-0123456789ab`);
      await writeFile(claim, "");
      let beats = 0;
      const beating = runtime.clock.every(100, () => {
        beats++;
        utimesSync(claim, new Date(), new Date(Date.now() + beats));
      });
      await rejects(files.lock(path), failure("locked", /: process 1 holds it$/));
      beating.cancel();
      ok(beats > 0);
      deepEqual(await readdir(folder), [basename(claim)]);
      utimesSync(claim, new Date(), new Date(Date.now() - 10_000));
      const lock = await files.lock(path);
      deepEqual((await readdir(folder)).includes(basename(claim)), false);
      await lock.release();
    }));
}
