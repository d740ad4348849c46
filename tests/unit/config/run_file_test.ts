import { parseRunFile } from "../../../src/config/run_file.ts";
import { NodePassError } from "../../../src/errors.ts";
import { deepEqual, equal, match, ok, test } from "../../harness.ts";

function refusal(text: string, path: string): string {
  try {
    parseRunFile(text, path);
  } catch (error) {
    ok(error instanceof NodePassError && error.code === "usage", String(error));
    return error.message;
  }
  throw new Error("expected a refusal");
}

test("parseRunFile() reads lists and tables in JSON and TOML", () => {
  const tunnels = [{ url: "server://a:1/b:2", name: null }, { url: "client://c:3/d:4", name: "db" }];
  deepEqual(parseRunFile('["server://a:1/b:2", {"url": "client://c:3/d:4", "name": "db"}]', "x.json").tunnels, tunnels);
  const toml =
    'tunnels = ["server://a:1/b:2", { url = "client://c:3/d:4", name = "db" }]\n[environment]\nNP_SEMAPHORE_LIMIT = 5\n';
  const file = parseRunFile(toml, "x.TOML");
  deepEqual(file.tunnels, tunnels);
  equal(file.environment.get("NP_SEMAPHORE_LIMIT"), "5");
  equal(parseRunFile('[[tunnels]]\nurl = "server://a:1/b:2"\n', "x.toml").tunnels.length, 1);
});

test("parseRunFile() refuses unknown keys, wrong kinds and doubled names, all at once", () => {
  const message = refusal(
    '{"tunnles": [], "tunnels": [1, {"name": ""}, {"url": "a", "nmae": "x"}, {"url": "b", "name": "n"}, {"url": "c", "name": "n"}],' +
      ' "environment": {"NP_X": "1", "NP_ENGINES": true}}',
    "x.json",
  );
  match(message, /unknown key "tunnles": did you mean "tunnels"\?/);
  match(message, /tunnel 1 is neither a URL nor a table/);
  match(message, /tunnel 2 has a name that is no text/);
  match(message, /tunnel 2 has no url/);
  match(message, /tunnel 3 has the unknown key "nmae": did you mean "name"\?/);
  match(message, /name "n" is given to more than one tunnel/);
  match(message, /environment has the unknown key "NP_X"/);
  match(message, /NP_ENGINES that is neither text nor number/);
  match(refusal("[]", "x.json"), /tunnels is missing or empty/);
  match(refusal("5", "x.json"), /expected a list/);
});

test("parseRunFile() shows where a file is broken and never what stands there", () => {
  for (
    const [text, path] of [['["server://hunter2@a:1/b:2",]', "x.json"], [
      'tunnels = ["server://hunter2@a:1/b:2"',
      "x.toml",
    ]] as const
  ) {
    const message = refusal(text, path);
    match(message, /not valid (JSON|TOML)/);
    ok(!message.includes("hunter2"), message);
  }
  match(refusal('[\n  "a" "b"\n]', "x.json"), /line 2, column 7/);
});
