import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "./lock.ts";
import { type DebianArchive, sourceLines } from "./package-source.ts";
import { cacheDirectory, vmImageDirectory } from "./paths.ts";
import { packageCacheDirectory, startProxy } from "./proxy.ts";
import { runOk } from "./run.ts";
import type { Suite } from "./suite.ts";

const baseDirectory = join(cacheDirectory, "base");
const setupScript = join(import.meta.dirname, "base-setup.sh");
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

const unusedDaysKept = 14;

/** What a minimal cloud image with sshd and sudo has. meshctl must get along with just this. */
const packages = ["systemd-sysv", "dbus", "openssh-server", "iproute2", "sudo", "procps"];

/** The root file system hosts of this suite start from: built once, then taken from the cache. */
export async function baseImage(
  suite: Suite,
  archive: DebianArchive,
  log: (line: string) => void,
): Promise<string> {
  const sources = sourceLines(archive, suite);
  // Without a CA bundle apt in the hosts could not use an archive over https.
  const wanted = sources.some((line) => line.includes(" https:"))
    ? [...packages, "ca-certificates"]
    : packages;
  const recipe = JSON.stringify([suite, wanted, sources, await readFile(setupScript, "utf8")]);
  const key = createHash("sha256").update(recipe).digest("hex").slice(0, 12);
  const image = join(baseDirectory, `${suite}-${key}`);
  if (existsSync(image)) {
    const now = new Date();
    await utimes(image, now, now);
    return image;
  }

  const lockFile = join(baseDirectory, `.lock-${suite}`);
  const build = async (): Promise<string> => {
    if (existsSync(image)) return image;
    log(`building the base image of ${suite} (once; about half a minute)`);
    const building = join(baseDirectory, `.building-${suite}`);
    await rm(building, { recursive: true, force: true });
    await mkdir(baseDirectory, { recursive: true });
    const proxy = await startProxy({ address: "127.0.0.1", port: 0, cacheDirectory: packageCacheDirectory });
    try {
      // In a process namespace that dies with us: an interrupted build leaves no process and no mount.
      await runOk("setpriv", [
        ...["--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--"],
        ...["mmdebstrap", "--mode=root", "--variant=minbase", `--keyring=${keyring}`],
        `--include=${wanted.join(",")}`,
        `--aptopt=Acquire::http::Proxy "${proxy.url}"`,
        `--aptopt=Acquire::https::Proxy "${proxy.url}"`,
        ...(suite === "sid" ? ['--aptopt=Acquire::Check-Valid-Until "false"'] : []),
        ...[suite, building, ...sources],
      ]);
      await runOk("sh", [setupScript, building, suite]);
    } finally {
      await proxy.close();
    }
    await rename(building, image);
    return image;
  };
  return withLock(lockFile, build, () => log(`waiting for another process that builds the base of ${suite}`));
}

/** Removes the images nothing has used for weeks: those of older recipes. */
export async function pruneBaseImages(inUse: readonly string[]): Promise<void> {
  const directories = [baseDirectory, vmImageDirectory].filter((directory) => existsSync(directory));
  const images = directories.map(async (directory) =>
    (await readdir(directory)).filter((name) => !name.startsWith(".")).map((name) => join(directory, name)),
  );
  for (const image of (await Promise.all(images)).flat()) {
    const unusedDays = (Date.now() - (await stat(image)).mtimeMs) / 86_400_000;
    if (unusedDays > unusedDaysKept && !inUse.includes(image))
      await rm(image, { recursive: true, force: true });
  }
}
