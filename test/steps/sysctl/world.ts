import type { HostFacts } from "../../../src/contract/host.ts";
import type { HostView, InventoryView } from "../../../src/contract/inventory-view.ts";
import type { Mesh, Service } from "../../../src/contract/mesh.ts";
import type { Evidence } from "../../../src/contract/reading.ts";
import type { Assessed } from "../../../src/contract/step.ts";
import { type FileFact, sha256Of } from "../../../src/evidence/file.ts";
import { judge } from "../../../src/evidence/verdict.ts";
import { assess } from "../../../src/steps/sysctl/assess.ts";
import type { ConfFile } from "../../../src/steps/sysctl/boot.ts";
import { DROP_IN } from "../../../src/steps/sysctl/drop-in.ts";
import type { SysctlFacts } from "../../../src/steps/sysctl/facts.ts";
import { sysctl } from "../../../src/steps/sysctl/index.ts";
import { procPathOf } from "../../../src/steps/sysctl/key.ts";
import { holdRowsOfChanges } from "../rows-of-changes.ts";

/** A file as the probe reports it, from its text. */
export function conf(path: string, text: string, realPath = path): ConfFile {
  const lines = text.split("\n").map((line, index) => ({ number: index + 1, text: line }));
  return { path, realPath, lines: lines.filter((line) => !/^\s*([#;]|$)/.test(line.text)) };
}

export const bareKernel: Readonly<Record<string, string>> = {
  "net.ipv4.tcp_tw_reuse": "2",
  "net.ipv4.ip_local_port_range": "32768 60999",
  "net.ipv4.tcp_max_syn_backlog": "512",
  "net.ipv4.tcp_fin_timeout": "60",
  "net.core.somaxconn": "4096",
  "net.ipv4.ip_local_reserved_ports": "",
  "net.ipv4.tcp_timestamps": "1",
  "net.ipv4.ip_unprivileged_port_start": "1024",
};

export const tunedKernel: Readonly<Record<string, string>> = {
  ...bareKernel,
  "net.ipv4.tcp_tw_reuse": "1",
  "net.ipv4.ip_local_port_range": "1024 65023",
  "net.ipv4.tcp_max_syn_backlog": "10240",
  "net.ipv4.tcp_fin_timeout": "15",
  "net.core.somaxconn": "10240",
  "net.ipv4.ip_local_reserved_ports": "3306,33060",
};

export const DROP_IN_TEXT = `# Written by meshctl: change the inventory or the playbook, not this file.
net.ipv4.ip_local_reserved_ports = 3306,33060
net.core.somaxconn = 10240
net.ipv4.ip_local_port_range = 1024 65023
net.ipv4.tcp_fin_timeout = 15
net.ipv4.tcp_max_syn_backlog = 10240
net.ipv4.tcp_tw_reuse = 1
`;

export function facts(
  kernel: Readonly<Record<string, string>>,
  files: readonly ConfFile[] = [],
  dropIn?: string,
): SysctlFacts {
  const fact: FileFact = {
    path: DROP_IN,
    kind: dropIn === undefined ? "absent" : "regular",
    mode: "0644",
    owner: "root:root",
    sha256: dropIn === undefined ? "" : sha256Of(dropIn),
    packaged: "no",
    realPath: DROP_IN,
    content: dropIn,
  };
  return {
    dropIn: fact,
    values: new Map(Object.entries(kernel).map(([key, value]) => [procPathOf(key), value])),
    unreadValues: new Map(),
    missing: new Set(),
    loader: { is: "value", value: "loaded" },
    loaderUnit: undefined,
    before: { is: "absent" },
    unreadFiles: [],
    later: { is: "value", value: [] },
    lateModules: new Map(),
    files: dropIn === undefined ? files : [...files, conf(DROP_IN, dropIn)],
  };
}

export function hostWith(manifest: ReadonlyMap<string, string> = new Map()): HostFacts {
  return { manifest, listeners: [], virtualization: "kvm" } as unknown as HostFacts;
}

export const wroteDropIn = hostWith(new Map([[DROP_IN, sha256Of(DROP_IN_TEXT)]]));

const service = (name: string, port: number, servers: Service["servers"] = []): Service => ({
  name,
  mode: "http",
  bind: "127.0.0.1",
  port,
  discovery: { by: "inventory" },
  servers,
  balance: "roundrobin",
  serverOptionsAllowed: [],
  check: { http: undefined, interMs: 2000, rise: 2, fall: 3, failFast: false },
});

const mesh: Mesh = {
  ensemble: [{ host: "zk-1", address: "10.0.0.1", id: 1 }],
  zookeeper: { clientPort: 2181, quorumPort: 2888, electionPort: 3888 },
  proxies: ["proxy-1"],
  networks: [],
  services: [
    service("user-api", 8080, [{ name: "a", host: "10.0.0.9", port: 9000 }]),
    service("orders", 8081, [{ name: "b", host: "app-2", port: 9001 }]),
  ],
};

export function hostView(name: string, address: string): HostView {
  return { name, address, groups: [], parameters: new Map() };
}

export function inventory(of: Mesh = mesh): InventoryView {
  return {
    hosts: new Map(),
    groups: new Map(),
    mesh: of,
    network: { proxy: undefined, caCertificates: undefined },
    file: "inventory.yaml",
    allowOs: [],
  };
}

export function desiredFor(parameters: object = {}, host: HostView = hostView("db-1", "10.0.0.21")) {
  return sysctl.desired(sysctl.parameters.parse(parameters), host, inventory());
}

/** What a host with these facts is asked for by default, row by row with its verdict. */
export function assessed(
  from: SysctlFacts,
  parameters: object = {},
  host: HostFacts = wroteDropIn,
): { rows: ReadonlyMap<string, Evidence>; changes: Assessed["changes"] } {
  const { readings, changes } = assess(desiredFor(parameters), from, host);
  holdRowsOfChanges(readings, changes);
  return { rows: new Map(readings.map((reading) => [reading.setting, judge(reading)])), changes };
}
