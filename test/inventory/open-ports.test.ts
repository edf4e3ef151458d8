import { expect, it } from "vitest";
import { openPortsWords } from "../../src/inventory/open-ports.ts";
import { mesh } from "../haproxy/mesh.ts";

const ensemble = ["kvm-01", "kvm-02"].map((host) => ({ host, address: "10.0.0.2", id: undefined }));

it.each([
  [
    "for members without a firewall",
    { ensemble },
    ["kvm-01", "app-01"],
    /^ZooKeeper's ports 2181, 2888 and 3888 of kvm-01 are open/,
  ],
  [
    "for two of them",
    { ensemble },
    ["kvm-01", "kvm-02"],
    /of kvm-01 and kvm-02 are open to all that reach them/,
  ],
  ["and on who may register", { ensemble }, ["kvm-01"], /; mesh\.zookeeper\.auth keeps others/],
  ["for none but others", { ensemble }, ["app-01"], undefined],
  ["for members with one", { ensemble, firewall: { also: [] } }, ["kvm-01"], undefined],
  [
    "for members whose playbook lacks the step",
    { ensemble, firewall: { also: [] } },
    ["kvm-01", "kvm-02"],
    /^mesh\.firewall is asked for, and the playbook has no step firewall for kvm-02: ports 2181, 2888 and 3888 stay/,
  ],
] as const)("the plan's word on open ports, %s", (_what, change, hosts, words) => {
  const found = openPortsWords({ ...mesh([]), ...change }, hosts, new Set(["kvm-01"]));
  if (words === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(words);
});
