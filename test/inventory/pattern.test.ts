import { beforeAll, describe, expect, it } from "vitest";
import type { InventoryView } from "../../src/contract/inventory-view.ts";
import { ConfigurationError } from "../../src/errors.ts";
import { matchHosts } from "../../src/inventory/pattern.ts";
import { load } from "../playbook/load.ts";

let inventory: InventoryView;
beforeAll(async () => {
  const text = `version: 1
hosts:
  db-01: { address: 10.0.0.1 }
  kvm-02: { address: 10.0.0.2 }
  kvm-01: { address: 10.0.0.3 }
groups:
  zookeeper: [kvm-01, kvm-02]
  proxies: [zookeeper, db-01]
  nobody: []
`;
  ({ inventory } = await load({ inventory: text }));
});

describe("a host pattern", () => {
  it.each<[string | string[], string]>([
    ["all", "db-01 kvm-02 kvm-01"],
    ["kvm-01", "kvm-01"],
    ["kvm-01,db-01", "db-01 kvm-01"],
    ["zookeeper", "kvm-02 kvm-01"],
    ["kvm-*", "kvm-02 kvm-01"],
    ["zoo*", "kvm-02 kvm-01"],
    ["*-0?", "db-01 kvm-02 kvm-01"],
    ["proxies,!db-01", "kvm-02 kvm-01"],
    ["proxies, !zookeeper", "db-01"],
    ["!db-*", "kvm-02 kvm-01"],
    [["kvm-01", "db-01", "!kvm-01"], "db-01"],
    ["proxies,&zookeeper", "kvm-02 kvm-01"],
    ["proxies:&zookeeper:!kvm-01", "kvm-02"],
    ["&kvm-*", "kvm-02 kvm-01"],
    ["kvm-01:db-01", "db-01 kvm-01"],
    ["kvm-[01:20]", "kvm-02 kvm-01"],
    ["kvm-[02:20],db-[01:01]", "db-01 kvm-02"],
    ["proxies:&kvm-[00:01]", "kvm-01"],
  ])("%s selects %s, in the inventory's order", (pattern, hosts) => {
    expect(matchHosts(pattern, inventory).join(" ")).toBe(hosts);
  });

  it.each([
    ["proxie", "no host or group is named 'proxie'; did you mean 'proxies'?"],
    ["kvm-03", "no host or group is named 'kvm-03' (groups: zookeeper, proxies, nobody)"],
    [
      "~kvm",
      "'~kvm' begins like a regular expression, and patterns have globs: 'kvm-*', or a range: 'kvm-[01:20]'",
    ],
    ["web-*", "no host or group matches 'web-*'"],
    ["all,!web", "no host or group is named 'web' (groups: zookeeper, proxies, nobody)"],
    ["db-01,,kvm-01", "expected a host, a group or a glob between the commas, found nothing"],
    ["", "expected a host, a group or a glob between the commas, found nothing"],
    ["all,!all", "pattern 'all,!all' matches no host"],
    ["zookeeper,&db-01", "pattern 'zookeeper,&db-01' matches no host"],
    ["all,&web", "no host or group is named 'web' (groups: zookeeper, proxies, nobody)"],
    ["kvm-[1:9]", "no host or group matches 'kvm-[1:9]'"],
    ["kvm-[9:1]", "no host or group matches 'kvm-[9:1]'"],
    ["nobody", "pattern 'nobody' matches no host"],
    ["kvm.01", "no host or group is named 'kvm.01'; did you mean 'kvm-01'?"],
    [
      "a,b",
      "no host or group is named 'a' (groups: zookeeper, proxies, nobody); no host or group is named 'b' (groups: zookeeper, proxies, nobody)",
    ],
  ])("'%s' is refused: %s", (pattern, message) => {
    expect(() => matchHosts(pattern, inventory)).toThrow(new ConfigurationError(message));
  });
});
