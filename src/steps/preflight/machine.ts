import type { HostFacts } from "../../contract/host.ts";
import type { Reading } from "../../contract/reading.ts";
import { check, unread } from "./check.ts";
import type { PreflightDesired } from "./desired.ts";

const SUPPORTED = ["debian 11", "debian 12", "debian 13"];

/** Debian 11, 12 or 13; others by the inventory's allow_os only. */
export function osReading({ allowOs }: PreflightDesired, { os }: HostFacts): Reading {
  const release = os.versionId === "" ? undefined : `${os.id} ${os.versionId}`;
  const names = [os.codename, ...(release === undefined ? [] : [release])].filter(Boolean);
  const isSupported = release !== undefined && SUPPORTED.includes(release);
  const isAllowed = names.some((name) => allowOs.includes(name));
  return check({
    setting: "os",
    want: ["Debian 11, 12 or 13", ...allowOs].join(", "),
    found: os.prettyName || names.join(" ") || "unknown",
    source: "/etc/os-release",
    fine: isSupported || isAllowed,
    because:
      names.length === 0
        ? "the release could not be told from /etc/os-release"
        : `${os.prettyName || names[0]} is not supported; to try it all the same, add ${names.map((name) => `"${name}"`).join(" or ")} to allow_os in the inventory`,
    warning:
      isSupported || !isAllowed ? undefined : `${os.prettyName || names[0]} is not supported, only allowed`,
  });
}

/** KVM or bare metal unless the playbook allows more: containers share a kernel that others tune. */
export function virtualizationReading(
  { virtualization }: PreflightDesired,
  { virtualization: found }: HostFacts,
): Reading {
  const row = { setting: "virtualization", want: virtualization.join(" or "), source: "systemd-detect-virt" };
  if (found === "") {
    return unread({ ...row, because: "it printed nothing: run it on the host and see what it complains of" });
  }
  return check({
    ...row,
    found,
    fine: virtualization.includes(found),
    because: `this is ${/^[aeiou]/.test(found) ? "an" : "a"} ${found} machine; use ${virtualization.join(" or ")}, or add "${found}" to preflight.virtualization`,
  });
}
