import { ok, strictEqual } from "node:assert/strict";
import { runChild } from "../../scripts/gate/child.ts";

Deno.test("runChild() gives the exit code and both streams", async () => {
  const result = await runChild(["sh", "-c", "echo one; echo two >&2; exit 3"], { limitMs: 10_000 });
  strictEqual(result.code, 3);
  strictEqual(result.stdout, "one\n");
  ok(result.output.includes("two\n"));
});

Deno.test("runChild() kills the whole group at the limit", async () => {
  const result = await runChild(["sh", "-c", "sleep 600 & echo $!; wait"], { limitMs: 300 });
  strictEqual(result.code, 124);
  ok(result.output.includes("Killed after"));
  await hasEnded(Number(result.stdout));
});

Deno.test("runChild() does not wait for a grandchild that keeps the pipe open", async () => {
  const result = await runChild(["sh", "-c", "sleep 600 & echo $!"], { limitMs: 60_000 });
  strictEqual(result.code, 0);
  await hasEnded(Number(result.stdout));
});

Deno.test("runChild() reports a program that does not exist", async () => {
  const result = await runChild(["no-such-program-here"], { limitMs: 10_000 });
  strictEqual(result.code, 127);
});

/** Resolves when the process is gone; a zombie that nobody reaped counts as gone. */
async function hasEnded(pid: number): Promise<void> {
  ok(pid > 1);
  const { stdout } = await runChild(["sh", "-c", `ps -o stat= -p ${pid} || true`], { limitMs: 10_000 });
  ok(stdout.trim() === "" || stdout.trim().startsWith("Z"), `Process ${pid} is still there: ${stdout}`);
}
