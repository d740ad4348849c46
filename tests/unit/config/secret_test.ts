import { inspect } from "node:util";
import { Secret } from "../../../src/config/secret.ts";
import { equal, ok, test } from "../../harness.ts";

test("Secret shows its value through reveal() and nothing else", () => {
  const secret = new Secret("hunter2");
  const shown = [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ secret }, { depth: 9, showHidden: true }),
    JSON.stringify(Object.entries(secret)),
  ];
  for (const text of shown) ok(!text.includes("hunter2"), text);
  equal(String(secret), "[redacted]");
  equal(secret.reveal(), "hunter2");
});
