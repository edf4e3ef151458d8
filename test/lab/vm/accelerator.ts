import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "../lock.ts";
import { runDirectory } from "../paths.ts";
import { run } from "../run.ts";
import { imageKernel } from "./image.ts";

/** What runs a machine's processors: this machine's own, or software. */
export type Accelerator = "kvm" | "tcg";

/** All that each has, but for the fifth level of page tables: software would walk it at every turn. */
export const processors: Readonly<Record<Accelerator, string>> = { kvm: "max", tcg: "max,la57=off" };
const tellingMs = 15_000;

/**
 * Whether KVM boots a kernel here: one without a root panics, and ends its machine, within two seconds. A /dev/kvm that opens, and even one
 * that makes machines, is no proof. Told once a boot of this machine.
 */
export function accelerator(image: string, log: (line: string) => void): Promise<Accelerator> {
  const file = join(runDirectory, ".accelerator");
  return withLock(`${file}.lock`, async () => {
    if (existsSync(file)) return (await readFile(file, "utf8")) as Accelerator;
    const found = (await bootsWithKvm(imageKernel(image))) ? "kvm" : "tcg";
    if (found === "tcg")
      log("KVM boots nothing here: the virtual machines are emulated, ten times slower or more");
    await mkdir(runDirectory, { recursive: true });
    await writeFile(file, found);
    return found;
  });
}

async function bootsWithKvm(kernel: string): Promise<boolean> {
  if (!existsSync("/dev/kvm")) return false;
  try {
    const { code, stdout } = await run(
      "qemu-system-x86_64",
      [
        ...[
          "-machine",
          "q35",
          "-accel",
          "kvm",
          "-cpu",
          processors.kvm,
          "-m",
          "256",
          "-nodefaults",
          "-display",
          "none",
        ],
        ...["-no-reboot", "-serial", "stdio", "-kernel", kernel, "-append", "console=ttyS0 panic=-1"],
      ],
      { timeoutMs: tellingMs },
    );
    return code === 0 && stdout.includes("Kernel panic");
  } catch {
    return false;
  }
}
