import { type AddressRange, showAddressRange } from "../../../src/address-range.ts";
import type { HostFacts } from "../../../src/contract/host.ts";
import type { HostView, InventoryView } from "../../../src/contract/inventory-view.ts";
import type { Mesh } from "../../../src/contract/mesh.ts";
import type { Evidence } from "../../../src/contract/reading.ts";
import type { Assessed } from "../../../src/contract/step.ts";
import type { UnitFact } from "../../../src/daemon/unit.ts";
import { type FileFact, sha256Of } from "../../../src/evidence/file.ts";
import { judge } from "../../../src/evidence/verdict.ts";
import { revealContent } from "../../../src/secret.ts";
import { assess } from "../../../src/steps/firewall/assess.ts";
import type { FirewallDesired } from "../../../src/steps/firewall/desired.ts";
import type { FirewallFacts, KernelFacts } from "../../../src/steps/firewall/facts.ts";
import type { FirewallFleet } from "../../../src/steps/firewall/fleet.ts";
import { firewall } from "../../../src/steps/firewall/index.ts";
import { DROP_IN, NFTABLES, RULES, UNIT, UNIT_FILE } from "../../../src/steps/firewall/paths.ts";
import { type Rules, ruleExpressions, ruleLines } from "../../../src/steps/firewall/rules.ts";
import { wantedFiles } from "../../../src/steps/firewall/situation.ts";
import { mesh } from "../../haproxy/mesh.ts";
import { bookwormHost } from "../bookworm-host.ts";
import { holdRowsOfChanges } from "../rows-of-changes.ts";

const ADDRESSES = {
  "kvm-01": "10.0.0.2",
  "kvm-02": "10.0.0.3",
  "kvm-03": "10.0.0.4",
  "app-01": "10.0.0.11",
  "job-01": "10.0.0.12",
  "db-01": "10.0.0.21",
} as const;

/** Three members, a proxy, a host that registers a service, and one that has nothing to do with ZooKeeper. */
function inventory(change: Partial<Mesh> = {}): InventoryView {
  const view = (name: string, address: string): HostView => ({
    name,
    address,
    groups: [],
    parameters: new Map([["registrar", { services: name === "job-01" ? { jobs: {} } : {} }]]),
  });
  const members = ["kvm-01", "kvm-02", "kvm-03"] as const;
  return {
    file: "i.yaml",
    hosts: new Map(Object.entries(ADDRESSES).map(([name, address]) => [name, view(name, address)])),
    groups: new Map(),
    mesh: {
      ...mesh([], ["app-01"]),
      ensemble: members.map((host) => ({ host, address: ADDRESSES[host], id: undefined })),
      firewall: { also: [] },
      ...change,
    },
    network: { proxy: undefined, caCertificates: undefined },
    allowOs: [],
  };
}

export function desired(change: Partial<Mesh> = {}, host = "kvm-01"): FirewallDesired {
  const view = inventory(change);
  return firewall.desired({ adopt: false }, view.hosts.get(host)!, view);
}

const file = (path: string, text: string | undefined): FileFact => ({
  path,
  kind: text === undefined ? "absent" : "regular",
  mode: text === undefined ? "" : "0644",
  owner: text === undefined ? "" : "root:root",
  sha256: text === undefined ? "" : sha256Of(text),
  packaged: "no",
  realPath: path,
  content: text,
});

export const unit = (name: string, change: Partial<UnitFact> = {}): UnitFact => ({
  name,
  load: "loaded",
  active: "active",
  sub: "exited",
  enabled: "enabled",
  mainPid: 0,
  restarts: 0,
  result: "success",
  statusText: "",
  fragmentPath: `/etc/systemd/system/${name}`,
  dropInPaths: [],
  needDaemonReload: false,
  invocation: undefined,
  ageSeconds: undefined,
  start: { commands: [], environment: [], environmentFiles: [], user: "", rootDirectory: "" },
  startLines: [],
  ...change,
});

const element = (range: AddressRange) => {
  const [addr, len] = showAddressRange(range).split("/");
  return len === undefined ? addr : { prefix: { addr, len: Number(len) } };
};

/** meshctl's table as nft 1.0.6 lists it. */
export function listing(rules: Rules, sets: Partial<Record<string, readonly unknown[]>> = {}) {
  const ours = { family: "inet", table: "meshctl" };
  const set = (name: string, family: 4 | 6, sources: readonly AddressRange[]) => {
    const elem = sets[name] ?? sources.filter((range) => range.family === family).map(element);
    return {
      set: {
        ...ours,
        name,
        type: `ipv${family}_addr`,
        flags: ["interval"],
        ...(elem.length ? { elem } : {}),
      },
    };
  };
  return {
    nftables: [
      { metainfo: { version: "1.0.6", json_schema_version: 1 } },
      { table: { family: "inet", name: "meshctl", handle: 2 } },
      set("clients4", 4, rules.clients),
      set("clients6", 6, rules.clients),
      set("members4", 4, rules.members),
      set("members6", 6, rules.members),
      {
        chain: {
          ...ours,
          name: "input",
          handle: 1,
          type: "filter",
          hook: "input",
          prio: -10,
          policy: "accept",
        },
      },
      ...ruleExpressions(rules).map((expr, index) => ({
        rule: { ...ours, chain: "input", handle: index + 4, expr },
      })),
    ] as Record<string, Record<string, unknown>>[],
  };
}

export function listingText(lines: readonly string[], flags = ""): string {
  const body = lines.map((line) => `\t\t${line}`).join("\n");
  return `table inet meshctl {\n${flags}\tset clients4 {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t}\n\n\tchain input {\n\t\ttype filter hook input priority -10; policy accept;\n${body}\n\t}\n}`;
}

const EMPTY_RULESET = '{"nftables": []}';

export function loaded(
  rules: Rules,
  change: Partial<Extract<KernelFacts, { is: "read" }>> = {},
): KernelFacts {
  const table = { text: listingText(ruleLines(rules)), json: JSON.stringify(listing(rules)) };
  return { is: "read", table, ruleset: EMPTY_RULESET, ...change };
}

/** A member as it is without the step. */
export const bare: FirewallFacts = {
  files: {
    rules: file(RULES, undefined),
    unit: file(UNIT_FILE, undefined),
    dropIn: file(DROP_IN, undefined),
  },
  unit: unit(UNIT, { load: "not-found", active: "inactive", enabled: "" }),
  nftables: unit(NFTABLES, { load: "not-found", active: "inactive", enabled: "" }),
  kernel: { is: "no nft" },
  iptables: "",
  peers: [],
  undo: undefined,
};

/** A member that has all that is wanted. */
export function converged(rules: Rules): FirewallFacts {
  const [rulesFile, unitFile, dropIn] = wantedFiles(rules).map(({ path, content }) =>
    file(path, revealContent(content)),
  ) as [FileFact, FileFact, FileFact];
  return {
    files: { rules: rulesFile, unit: unitFile, dropIn },
    unit: unit(UNIT),
    nftables: unit(NFTABLES, { dropInPaths: [DROP_IN] }),
    kernel: loaded(rules),
    iptables: "",
    peers: [],
    undo: undefined,
  };
}

export const edited = (fact: FileFact, text: string): FileFact => file(fact.path, text);

/** A host whose manifest has the step's files as they are. */
export function hostWith(facts: FirewallFacts, change: Partial<HostFacts> = {}): HostFacts {
  const ours = Object.values(facts.files).filter(({ kind }) => kind === "regular");
  return bookwormHost({
    addresses: ["127.0.0.1", "10.0.0.2"],
    packages: new Map(facts.kernel.is === "no nft" ? [] : [["nftables", "1.0.6-2"]]),
    manifest: new Map(ours.map(({ path, sha256 }) => [path, sha256])),
    ...change,
  });
}

export function assessed(
  want: FirewallDesired,
  facts: FirewallFacts,
  { host = hostWith(facts), fleet = new Map() }: { host?: HostFacts; fleet?: FirewallFleet } = {},
): { evidence: Readonly<Record<string, Evidence>>; changes: Assessed["changes"] } {
  const { readings, changes } = assess(want, facts, host, fleet);
  holdRowsOfChanges(readings, changes);
  return { evidence: Object.fromEntries(readings.map((row) => [row.setting, judge(row)])), changes };
}
