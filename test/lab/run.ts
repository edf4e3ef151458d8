import { spawn } from "node:child_process";
import { constants } from "node:os";

export interface Outcome {
  /** Exit code; 128 + its number when a signal ended the command, as in a shell. */
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  input?: string;
  timeoutMs?: number;
  env?: NodeJS.ProcessEnv;
  /** Receives every full line of both outputs as it comes. */
  onLine?: (line: string) => void;
}

/** Runs a command to its end. Rejects only when it cannot be started or takes longer than `timeoutMs`. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: options.env ?? process.env,
      ...(options.timeoutMs === undefined
        ? {}
        : { timeout: options.timeoutMs, killSignal: "SIGKILL" as const }),
    });
    const startedMs = Date.now();
    const output = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      let rest = "";
      child[stream].setEncoding("utf8").on("data", (chunk: string) => {
        output[stream] += chunk;
        if (options.onLine === undefined) return;
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) options.onLine(line);
      });
    }
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (signal !== null && options.timeoutMs !== undefined && Date.now() - startedMs >= options.timeoutMs) {
        reject(new Error(`${command} took longer than ${options.timeoutMs} ms and was killed.`));
      } else {
        resolve({ code: code ?? 128 + constants.signals[signal!], ...output });
      }
    });
    // A command that ends without reading its input is its own business.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
  });
}

/** Like `run`, but a failing command rejects with its last words. Returns stdout. */
export async function runOk(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, options);
  if (code === 0) return stdout;
  const lastWords = (stderr.trim() || stdout.trim()).split("\n").slice(-8).join("\n");
  throw new Error(`${command} ${args.join(" ")} failed with exit code ${code}: ${lastWords}`);
}
