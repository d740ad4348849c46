import { suggest } from "../../../src/config/suggest.ts";
import { equal, test } from "../../harness.ts";

test("suggest() finds slips of the fingers and nothing far away", () => {
  const words = ["server", "client", "verify", "tls", "slot"];
  equal(suggest("sever", words), "server");
  equal(suggest("cleint", words), "client");
  equal(suggest("VERIFY", words), "verify");
  equal(suggest("tsl", words), "tls");
  equal(suggest("slots", words), "slot");
  equal(suggest("master", words), null);
  equal(suggest("xyz", words), null);
  equal(suggest("", words), null);
});
