import { bearerToken, tokensEqual } from "../../../../src/wire/nodepass_1_14/token.ts";
import { fingerprint } from "../../../../src/wire/nodepass_1_14/fingerprint.ts";
import { equal, test } from "../../../harness.ts";

test("bearerToken() is what the Go program sends for the key", async () => {
  equal(await bearerToken("secret"), "f9e66e179b6747ae54108f82f8ade8b3c25d76fd30afde6c395822c530196169");
  equal(await bearerToken(""), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
});

test("tokensEqual() sees every difference", () => {
  equal(tokensEqual("abc", "abc"), true);
  for (const [a, b] of [["abc", "abd"], ["abc", "ab"], ["ab", "abc"], ["", "a"], ["a", ""], ["aa", "a"]] as const) {
    equal(tokensEqual(a, b), false, `${a} ${b}`);
  }
});

test("fingerprint() is in upper case with colons", async () => {
  const empty = "E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:78:52:B8:55";
  equal(await fingerprint(new Uint8Array(0)), `sha256:${empty}`);
});
