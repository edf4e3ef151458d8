import type { HostFacts } from "../../src/contract/host.ts";

/** A host as steps' tables see it: Debian 12 on KVM with nothing of interest, but what a table changes. */
export function bookwormHost(change: Partial<HostFacts> = {}): HostFacts {
  return {
    os: { id: "debian", versionId: "12", codename: "bookworm", prettyName: "Debian GNU/Linux 12 (bookworm)" },
    kernel: "6.1.0",
    architecture: "amd64",
    virtualization: "kvm",
    cpus: 2,
    memoryBytes: 4 * 2 ** 30,
    bootId: "boot",
    boot: { is: "proved", bootedAt: new Date(0) },
    uptimeSeconds: 100,
    clock: { skewMs: 0, uncertaintyMs: 1 },
    hardOpenFiles: 20_000,
    addresses: [],
    listeners: [],
    manifest: new Map(),
    packages: new Map(),
    ...change,
  };
}
