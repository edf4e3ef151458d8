import { existsSync } from "node:fs";

/** Why a lab cannot run on this machine, in one sentence; undefined when it can. */
export function labUnavailable(): string | undefined {
  if (process.platform !== "linux") {
    return `The lab needs Linux: it boots Debian hosts with systemd-nspawn, and this is ${process.platform}.`;
  }
  if (process.getuid?.() !== 0) {
    return "The lab needs root: it makes network namespaces and boots hosts. Run it again as root.";
  }
  if (!existsSync("/usr/bin/apt-get")) {
    return "The lab needs a Debian machine: it takes its packages from this machine's apt sources, and there is no apt-get.";
  }
  return undefined;
}
