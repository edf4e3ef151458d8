import { describe, expect, it } from "vitest";
import { byteSize, durationMs } from "../../src/quantities.ts";

describe("quantities", () => {
  it.each([
    [250, 250],
    ["250", 250],
    ["500ms", 500],
    ["2s", 2000],
    ["1.5s", 1500],
    ["5m", 300_000],
    ["1h", 3_600_000],
  ])("reads the duration %s as %i ms", (text, milliseconds) => {
    expect(durationMs.parse(text)).toBe(milliseconds);
  });

  it.each([
    [4096, 4096],
    ["4096", 4096],
    ["64K", 65_536],
    ["512M", 536_870_912],
    ["1g", 1_073_741_824],
    ["1T", 1_099_511_627_776],
  ])("reads the size %s as %i bytes", (text, bytes) => {
    expect(byteSize.parse(text)).toBe(bytes);
  });

  it.each(["", "2 s", "-1s", "s", "0.5ms", true, -1, 0.5])("refuses the duration %s", (text) => {
    expect(durationMs.safeParse(text).success).toBe(false);
  });

  it.each(["", "0", "1GB", "-1M", "1.5G", "M", null, 0, 1.5])("refuses the size %s", (text) => {
    expect(byteSize.safeParse(text).success).toBe(false);
  });
});
