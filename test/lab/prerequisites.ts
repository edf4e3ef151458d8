import { existsSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "./lock.ts";
import { runDirectory } from "./paths.ts";
import { run } from "./run.ts";

/** What the lab calls, by a file that shows it is there. */
const packageOfFile: Record<string, string> = {
  "/usr/bin/systemd-nspawn": "systemd-container",
  "/usr/bin/mmdebstrap": "mmdebstrap",
  "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
  "/etc/ssl/certs/ca-certificates.crt": "ca-certificates",
  "/usr/bin/ssh": "openssh-client",
  "/usr/bin/nsenter": "util-linux",
  "/usr/bin/ip": "iproute2",
};

/** What it calls for virtual machines as well. */
const packageOfVmFile: Record<string, string> = {
  "/usr/bin/qemu-system-x86_64": "qemu-system-x86",
  "/usr/bin/qemu-img": "qemu-utils",
  "/usr/bin/xorrisofs": "xorriso",
  "/usr/sbin/mkfs.ext4": "e2fsprogs",
};

/** Installs what the lab needs and the machine lacks. Does nothing on the second call. */
export function installPrerequisites(log: (line: string) => void, isVm = false): Promise<void> {
  return installMissing({ ...packageOfFile, ...(isVm ? packageOfVmFile : {}) }, log);
}

/** Installs the packages whose file is not there, without starting their services. Throws one sentence on failure. */
export async function installMissing(
  packages: Readonly<Record<string, string>>,
  log: (line: string) => void,
): Promise<void> {
  const missingPackages = () =>
    Object.entries(packages).flatMap(([file, name]) => (existsSync(file) ? [] : [name]));
  if (missingPackages().length === 0) return;
  await withLock(join(runDirectory, ".lock-apt"), async () => {
    const missing = missingPackages();
    if (missing.length === 0) return;
    log(`installing ${missing.join(", ")}`);
    // invoke-rc.d starts nothing in runlevel 1.
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8", RUNLEVEL: "1" };
    const install = () =>
      run(
        "apt-get",
        ["install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=600", ...missing],
        { env },
      );
    if ((await install()).code === 0) return;
    // Other people's package sources may be out of reach; what counts is whether the install works then.
    await run("apt-get", ["update"], { env });
    const { code, stderr } = await install();
    if (code !== 0) {
      throw new Error(`apt-get could not install ${missing.join(", ")}: ${stderr.trim().split("\n").at(-1)}`);
    }
  });
}
