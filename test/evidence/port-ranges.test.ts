import { describe, expect, it } from "vitest";
import {
  coversPorts,
  mergePortRanges,
  parsePortRanges,
  showPortRanges,
} from "../../src/evidence/port-ranges.ts";

const ranges = (text: string) => parsePortRanges(text)!;

describe("port ranges", () => {
  it.each([
    ["", ""],
    ["2181", "2181"],
    ["8080,2181", "2181,8080"],
    ["2888-3888,3000,3889", "2888-3889"],
    ["1-2 3,5", "1-3,5"],
    ["10-20,12-14", "10-20"],
    ["0,65535", "0,65535"],
  ])("%j merge to %j, as the kernel prints them", (text, merged) => {
    expect(showPortRanges(mergePortRanges(ranges(text)))).toBe(merged);
  });

  it.each(["http", "20-10", "70000", "1-2-3", "-5"])("are not %j", (text) => {
    expect(parsePortRanges(text)).toBeUndefined();
  });

  it.each([
    ["1-10", "3,5-7", true],
    ["1-4,5-10", "3-7", true],
    ["1-4,6-10", "3-7", false],
    ["", "1", false],
    ["", "", true],
  ])("%j cover %j: %s", (have, wanted, covered) => {
    expect(coversPorts(ranges(have), ranges(wanted))).toBe(covered);
  });
});
