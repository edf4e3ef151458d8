import { readdirSync } from "node:fs";
import type { Suite } from "../lab/suite.ts";
import type { Trap } from "./trap.ts";

export interface ListedTrap {
  /** Below this folder, for example "sysctl/masked.ts". */
  readonly file: string;
  readonly trap: Trap;
}

/** Every trap there is, in the order in which they are planted. */
export function allTraps(): Promise<readonly ListedTrap[]> {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
    .filter((file) => /^[a-z]+\/[^/]+\.ts$/.test(file))
    .sort();
  return Promise.all(
    files.map(async (file) => {
      const { default: trap } = await import(/* @vite-ignore */ `${import.meta.dirname}/${file}`);
      return { file, trap: trap as Trap };
    }),
  );
}

/** Those that can be planted on a release. */
export async function trapsFor(suite: Suite): Promise<readonly ListedTrap[]> {
  return (await allTraps()).filter(({ trap }) => trap.suites?.includes(suite) ?? true);
}
