import { type Cidr, parseCidr } from "../../../src/address/cidr.ts";
import { Access } from "../../../src/relay/access.ts";
import { equal, test } from "../../harness.ts";

function ranges(...texts: string[]): Cidr[] {
  return texts.map((text) =>
    parseCidr(text) ?? (() => {
      throw new Error(text);
    })()
  );
}

test("Access lets everyone in without lists", () => {
  const access = new Access([], []);
  equal(access.permits("192.0.2.1"), true);
  equal(access.permits("not an address"), true);
});

test("Access lets only listed addresses in when there is an allow list", () => {
  const access = new Access(ranges("10.0.0.0/8", "2001:db8::/32"), []);
  equal(access.permits("10.1.2.3"), true);
  equal(access.permits("11.1.2.3"), false);
  equal(access.permits("2001:db8::7"), true);
  equal(access.permits("2001:db9::7"), false);
});

test("Access: deny wins over allow", () => {
  const access = new Access(ranges("10.0.0.0/8"), ranges("10.0.0.13"));
  equal(access.permits("10.0.0.12"), true);
  equal(access.permits("10.0.0.13"), false);
  equal(new Access([], ranges("10.0.0.13")).permits("192.0.2.1"), true);
});

test("Access judges IPv4-mapped addresses and zone ids as the address they mean", () => {
  const access = new Access([], ranges("10.0.0.0/8", "fe80::/10"));
  equal(access.permits("::ffff:10.9.9.9"), false);
  equal(access.permits("::ffff:0a09:0909"), false);
  equal(access.permits("fe80::1%eth0"), false);
  equal(new Access(ranges("::ffff:10.0.0.0/104"), []).permits("10.1.1.1"), true);
});

test("Access keeps out what it cannot judge once a list exists", () => {
  equal(new Access([], ranges("10.0.0.0/8")).permits("unknown"), false);
});
