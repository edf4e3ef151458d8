import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "../lock.ts";
import { vmImageDirectory } from "../paths.ts";
import { packageCacheDirectory, startProxy } from "../proxy.ts";
import { runOk } from "../run.ts";
import type { Suite } from "../suite.ts";

const setupScript = join(import.meta.dirname, "image-setup.sh");
/** Of each machine's disk; what is not written takes no room. */
const diskSize = "6G";

/** What machines of an image boot: a disk that each has a copy of as it writes, and the kernel that is in it. */
export const imageDisk = (image: string): string => join(image, "disk.raw");
export const imageKernel = (image: string): string => join(image, "vmlinuz");
export const imageInitrd = (image: string): string => join(image, "initrd");

/** The image virtual machines of a suite start from: built once of the lab's base of it, then taken from the cache. */
export async function vmImage(suite: Suite, base: string, log: (line: string) => void): Promise<string> {
  const { birthtimeMs } = await stat(base);
  const recipe = JSON.stringify([base, birthtimeMs, diskSize, await readFile(setupScript, "utf8")]);
  const key = createHash("sha256").update(recipe).digest("hex").slice(0, 12);
  const image = join(vmImageDirectory, `${suite}-${key}`);
  const build = async (): Promise<string> => {
    if (existsSync(image)) {
      const now = new Date();
      await utimes(image, now, now);
      return image;
    }
    log(`building the image of ${suite} for virtual machines (once; a few minutes)`);
    const building = join(vmImageDirectory, `.building-${suite}`);
    const tree = join(building, "tree");
    await rm(building, { recursive: true, force: true });
    await mkdir(building, { recursive: true });
    await runOk("cp", ["--archive", base, tree]);
    const proxy = await startProxy({ address: "127.0.0.1", port: 0, cacheDirectory: packageCacheDirectory });
    try {
      // In a process namespace that dies with us: an interrupted build leaves no process and no mount.
      await runOk("setpriv", [
        ...["--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--"],
        ...["sh", setupScript, tree, proxy.url],
      ]);
    } finally {
      await proxy.close();
    }
    for (const [kind, to] of [
      ["vmlinuz-", imageKernel(building)],
      ["initrd.img-", imageInitrd(building)],
    ] as const) {
      const name = (await readdir(join(tree, "boot"))).find((file) => file.startsWith(kind));
      if (name === undefined) throw new Error(`The image of ${suite} has no /boot/${kind}*.`);
      await copyFile(join(tree, "boot", name), to);
    }
    await runOk("mkfs.ext4", ["-q", "-F", "-d", tree, imageDisk(building), diskSize]);
    await rm(tree, { recursive: true });
    await rename(building, image);
    return image;
  };
  return withLock(join(vmImageDirectory, `.lock-${suite}`), build, () =>
    log(`waiting for another process that builds the image of ${suite}`),
  );
}
