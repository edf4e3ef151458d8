import { describe, expect, it } from "vitest";
import {
  type AddressRange,
  mergeAddressRanges,
  parseAddressRange,
  showAddressRange,
  without,
} from "../src/address-range.ts";

const ranges = (...texts: string[]) => texts.map((text) => parseAddressRange(text) as AddressRange);
const shown = (list: readonly AddressRange[]) => list.map(showAddressRange);

describe("an address range", () => {
  it.each([
    ["10.0.0.1", "10.0.0.1"],
    ["10.9.0.0/16", "10.9.0.0/16"],
    ["10.0.0.1/32", "10.0.0.1"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["fd00::/8", "fd00::/8"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["::1", "::1"],
    ["::", "::"],
    ["::/0", "::/0"],
    ["fe80::/64", "fe80::/64"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    // An IPv4 address as an IPv6 socket shows it.
    ["::ffff:10.0.0.1", "10.0.0.1"],
  ])("is read from %s", (text, as) => expect(shown(ranges(text))).toEqual([as]));

  it.each([
    ["10.9.0.1/16", "crooked"],
    ["fd00::1/8", "crooked"],
    ["10.0.0.0/33", undefined],
    ["fd00::/129", undefined],
    ["::ffff:10.0.0.0/104", undefined],
    ["10.0.0", undefined],
    ["10.0.0.1-10.0.0.9", undefined],
    ["fe80::1%eth0", undefined],
    ["10.0.0.0/", undefined],
    ["10.0.0.0/-1", undefined],
    ["app-01", undefined],
    ["", undefined],
  ])("is none in %j", (text, as) => expect(parseAddressRange(text)).toBe(as));

  it.each([
    [["10.0.0.2", "10.0.0.1", "10.0.0.1"], ["10.0.0.1-10.0.0.2"]],
    [["10.0.0.128/25", "10.0.0.0/25"], ["10.0.0.0/24"]],
    [
      ["10.0.0.0/8", "10.1.0.0/16", "fd00::1"],
      ["10.0.0.0/8", "fd00::1"],
    ],
    [
      ["255.255.255.255", "::"],
      ["255.255.255.255", "::"],
    ],
    [[], []],
  ])("of %j merges to %j", (given, as) => expect(shown(mergeAddressRanges(ranges(...given)))).toEqual(as));

  it.each([
    [["10.0.0.0/30"], ["10.0.0.1"], ["10.0.0.0", "10.0.0.2/31"]],
    [["10.0.0.1"], ["10.0.0.0/8"], []],
    [["10.0.0.1"], ["fd00::/8", "10.0.0.2"], ["10.0.0.1"]],
    [["10.0.0.0/24"], ["10.0.0.0/25", "10.0.0.128/25"], []],
  ])("of %j without %j is %j", (from, others, as) =>
    expect(shown(without(ranges(...from), ranges(...others)))).toEqual(as),
  );
});
