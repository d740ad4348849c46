import { deepEqual, equal, ok, test } from "../../../harness.ts";
import { parseCidr } from "../../../../src/address/cidr.ts";
import { Sources, VOUCH_GRACE_MS } from "../../../../src/tunnel/accept/sources.ts";
import { FakeClock } from "../../../fake_clock.ts";

test("Sources counts IPv6 by /64 and mapped IPv4 as IPv4", () => {
  const sources = new Sources([], () => 0);
  equal(sources.of("2001:db8::1").key, sources.of("2001:db8::ffff:1").key);
  ok(sources.of("2001:db8:0:1::1").key !== sources.of("2001:db8::1").key);
  equal(sources.of("::ffff:192.0.2.1").key, sources.of("192.0.2.1").key);
});

test("Sources vouches while any control channel lives and for a grace time after", () => {
  const clock = new FakeClock();
  const sources = new Sources([], () => clock.now());
  const first = sources.vouch("::ffff:192.0.2.1");
  const second = sources.vouch("192.0.2.1");
  deepEqual(sources.of("192.0.2.1").standing, "vouched");
  first();
  first();
  clock.advance(VOUCH_GRACE_MS * 2);
  equal(sources.of("192.0.2.1").standing, "vouched");
  second();
  clock.advance(VOUCH_GRACE_MS - 1);
  equal(sources.of("192.0.2.1").standing, "vouched");
  clock.advance(1);
  equal(sources.of("192.0.2.1").standing, "stranger");
  equal(sources.of("192.0.2.2").standing, "stranger");
});

test("Sources trusts configured proxies above all", () => {
  const sources = new Sources([parseCidr("10.0.0.0/8")!], () => 0);
  sources.vouch("10.1.2.3");
  equal(sources.of("::ffff:10.1.2.3").standing, "trusted");
  equal(sources.of("11.1.2.3").standing, "stranger");
});
