import { cutText, InstanceLogs } from "../../../src/master/logs.ts";
import { deepEqual, equal, ok, test } from "../../harness.ts";

test("InstanceLogs: keeps the last 500 lines of each instance", () => {
  const logs = new InstanceLogs();
  for (let n = 1; n <= 600; n++) logs.append("a", `line ${n}\n`);
  logs.append("b", "other");
  equal(logs.last("a").length, 500);
  equal(logs.last("a")[0], "line 101");
  deepEqual(logs.last("a", 2), ["line 599", "line 600"]);
  deepEqual(logs.last("b", 10), ["other"]);
  deepEqual(logs.last("a", 0), []);
  logs.remove("a");
  deepEqual(logs.last("a"), []);
});

test("InstanceLogs: long lines are cut, and many of them are bounded", () => {
  const logs = new InstanceLogs();
  const kept = logs.append("a", "x".repeat(1_000_000));
  equal(new TextEncoder().encode(kept).length, 16_384);
  for (let n = 0; n < 500; n++) logs.append("a", "x".repeat(1_000_000));
  const total = logs.last("a").reduce((sum, line) => sum + line.length, 0);
  ok(total <= 512 * 1024, `${total} kept`);
  ok(logs.last("a").length >= 30);
});

test("cutText: cuts between characters and leaves what fits", () => {
  equal(cutText("short", 5), "short");
  equal(cutText("ééé", 6), "ééé");
  equal(cutText("éééé", 7), "éé…");
  equal(cutText("🙂🙂", 7), "🙂…");
  equal(cutText("abcd", 2), "");
});
