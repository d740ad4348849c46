import fc from "fast-check";
import { anyContains, cidrContains, formatCidr, parseCidr } from "../../../src/address/cidr.ts";
import { formatIp, parseIp } from "../../../src/address/ip.ts";
import { equal, ok, test } from "../../harness.ts";

function range(text: string): NonNullable<ReturnType<typeof parseCidr>> {
  const cidr = parseCidr(text);
  ok(cidr !== null, text);
  return cidr;
}

test("parseCidr() reads ranges, single addresses and mapped ranges", () => {
  equal(formatCidr(range("10.1.2.3/8")), "10.0.0.0/8");
  equal(formatCidr(range("192.0.2.1")), "192.0.2.1/32");
  equal(formatCidr(range("2001:DB8::1/33")), "2001:db8::/33");
  equal(formatCidr(range("::1")), "::1/128");
  equal(formatCidr(range("::ffff:10.0.0.0/104")), "10.0.0.0/8");
  equal(formatCidr(range("0.0.0.0/0")), "0.0.0.0/0");
});

test("parseCidr() refuses what is no range", () => {
  for (const text of ["", "/", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/-1", "a/8", "10/8"]) {
    equal(parseCidr(text), null, text);
  }
  equal(parseCidr("fe80::1%eth0/64"), null);
  equal(parseCidr("::ffff:0:0/95"), null, "would cover IPv4 and IPv6 together");
});

test("cidrContains() agrees with comparing bits one by one", () => {
  const bits = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  for (const length of [4, 16]) {
    const address = fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(fc.property(address, address, fc.nat(length * 8), fc.nat(length * 8), (a, b, prefix, same) => {
      const other = bits(a).slice(0, same) + bits(b).slice(same);
      const bytes = Uint8Array.from({ length }, (_, index) => parseInt(other.slice(index * 8, index * 8 + 8), 2));
      const cidr = range(`${formatIp(a)}/${parseIp(formatIp(a))?.length === length ? prefix : 32}`);
      const ip = parseIp(formatIp(bytes)) ?? bytes;
      const expected = cidr.bytes.length === ip.length && bits(ip).startsWith(bits(cidr.bytes).slice(0, cidr.prefix));
      equal(cidrContains(cidr, ip), expected);
    }));
  }
});

test("anyContains() sees a mapped visitor as IPv4 and answers false for names", () => {
  const cidrs = [range("10.0.0.0/8"), range("2001:db8::/32")];
  equal(anyContains(cidrs, "::ffff:10.1.1.1"), true);
  equal(anyContains(cidrs, "2001:db8:ffff::1"), true);
  equal(anyContains(cidrs, "11.0.0.1"), false);
  equal(anyContains(cidrs, "example.com"), false);
  equal(anyContains([range("::/0")], "10.0.0.1"), false);
});
