import { existsSync } from "node:fs";
import { open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { stateDirectory } from "./paths.ts";
import { run, runOk } from "./run.ts";

/** In a lab's own network namespace, as are the hosts' cables: these names need to be unique nowhere else. */
export const bridge = "lab";
const uplink = "uplink";
/** The end of a host's cable at the bridge, as systemd-nspawn names it. */
const outerEnd = (host: string): string => `vb-${host}`;

/** The machine's end of the cable to the lab's bridge. */
const cableOf = (slot: number): string => `mlab-${slot}`;

/** A file the lab's network namespace is mounted on, as nsenter(1) takes it. */
export const namespaceFile = (lab: string): string => join(stateDirectory(lab), "network");

// 198.18.0.0/15 is set aside for benchmarks (RFC 2544): no real network uses it.
export const gatewayOf = (slot: number): string => `198.18.${slot}.1`;
export const hostAddress = (slot: number, index: number): string => `198.18.${slot}.${11 + index}`;
export const hostName = (index: number): string => `kvm-${String(index + 1).padStart(2, "0")}`;

const ip = (...args: string[]): Promise<string> => runOk("ip", args);

/** ip(8) in the lab's namespace, without the mounts of `ip netns` that would stay on the machine. */
const ipInside = (lab: string, ...args: string[]): Promise<string> =>
  runOk("nsenter", [`--net=${namespaceFile(lab)}`, "--", "ip", ...args]);

export async function createNetwork(lab: string, slot: number): Promise<void> {
  const file = namespaceFile(lab);
  await (await open(file, "w")).close();
  await runOk("unshare", [`--net=${file}`, "--", "ip", "link", "set", "lo", "up"]);
  // Without the delay of 0 the bridge keeps a new port silent for 15 seconds.
  const noWaiting = ["stp_state", "0", "forward_delay", "0"];
  await ipInside(lab, "link", "add", bridge, "type", "bridge", ...noWaiting);
  await ipInside(lab, "link", "set", bridge, "up");
  await ip("link", "add", cableOf(slot), "type", "veth", "peer", "name", uplink, "netns", file);
  await ipInside(lab, "link", "set", uplink, "master", bridge, "up");
  await ip("link", "set", cableOf(slot), "addrgenmode", "none");
  await ip("address", "add", `${gatewayOf(slot)}/24`, "dev", cableOf(slot));
  await ip("link", "set", cableOf(slot), "up");
}

/** Removes what there is of a network. The slot is unknown when the lab's record is lost. */
export async function removeNetwork(lab: string, slot: number | undefined): Promise<void> {
  if (slot !== undefined && existsSync(`/sys/class/net/${cableOf(slot)}`)) {
    await run("ip", ["link", "delete", cableOf(slot)]);
  }
  const file = namespaceFile(lab);
  if (!existsSync(file)) return;
  // Not mounted when the start was cut before that.
  await run("umount", [file]);
  await rm(file);
}

/** A cable for a virtual machine, which takes its other end by this name. Goes with the lab's namespace. */
export async function createTap(lab: string, host: string): Promise<string> {
  const tap = outerEnd(host);
  // The one of its last boot.
  await ipInside(lab, "link", "delete", tap).catch(() => {});
  await ipInside(lab, "tuntap", "add", "dev", tap, "mode", "tap");
  await ipInside(lab, "link", "set", tap, "master", bridge, "up");
  return tap;
}

export async function setHostLink(lab: string, host: string, state: "up" | "down"): Promise<void> {
  await ipInside(lab, "link", "set", outerEnd(host), state);
}

/** Slots whose cable is there, whoever made it. */
export async function slotsInUse(): Promise<number[]> {
  const names = await readdir("/sys/class/net");
  return names.flatMap((name) => /^mlab-(\d+)$/.exec(name)?.[1] ?? []).map(Number);
}
