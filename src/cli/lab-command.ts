import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { ConfigurationError } from "../errors.ts";

/** Hands the words to the lab, a program of its own that comes with the package. Sets process.exitCode. */
export async function labCommand(words: readonly string[]): Promise<void> {
  const program = fileURLToPath(new URL("../lab/cli.mjs", import.meta.url));
  if (!existsSync(program))
    throw new ConfigurationError(
      "The lab comes with the built meshctl; in a clone type: npm run lab -- --help",
    );
  const child = spawn(process.execPath, [program, ...words], { stdio: "inherit" });
  // ^C reaches both: the lab takes down what it began, and this waits for it.
  const wait = () => {};
  process.on("SIGINT", wait);
  try {
    process.exitCode = await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
    });
  } finally {
    process.off("SIGINT", wait);
  }
}
