import { execFile } from "node:child_process";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Lab } from "../lab/lab.ts";

const root = resolve(import.meta.dirname, "../..");

/** One line of `--json`. */
export type JsonEvent = { readonly event: string; readonly [field: string]: unknown };

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Events, when `--json` was among the arguments. */
  readonly events: readonly JsonEvent[];
}

/** Runs the built command line as a user would, from the project's folder. */
export function meshctl(
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; killAfterMs?: number } = {},
): Promise<Ended> {
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [join(root, "bin/meshctl.js"), ...args],
      { cwd: root, env: { ...process.env, CI: "true", ...options.env }, maxBuffer: 256 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        const events = args.includes("--json")
          ? stdout
              .split("\n")
              .filter(Boolean)
              .map((line) => JSON.parse(line) as JsonEvent)
          : [];
        done({ code, stdout, stderr, events });
      },
    );
    if (options.killAfterMs !== undefined) setTimeout(() => child.kill("SIGKILL"), options.killAfterMs);
  });
}

/** The demo's inventory made to fit another lab, changed by `edit`. Returns its path. */
export async function inventoryFor(
  lab: Lab,
  edit: (yaml: string) => string = (yaml) => yaml,
): Promise<string> {
  const yaml = await readFile(join(root, "inventories/lab.yaml"), "utf8");
  const prefix = lab.hosts[0]!.address.replace(/[0-9]+$/, "");
  const fitted = yaml.replaceAll("198.18.0.", prefix).replaceAll("/run/meshctl-lab/demo", lab.directory);
  const file = join(await mkdtemp(join(tmpdir(), "meshctl-e2e-")), "inventory.yaml");
  await writeFile(file, edit(fitted));
  return file;
}

/** The rows of a run that are not proven, as short text, for messages and for asserting that there are none. */
export function openRows({ events }: Ended): string[] {
  return events
    .filter(({ event, verdict }) => event === "evidence" && verdict !== "proven")
    .map((row) => `${row.host} ${row.step} ${row.setting}: ${row.verdict}: ${row.because}`);
}

export interface Summary {
  readonly exit_code: number;
  readonly duration_ms: number;
  readonly hosts: readonly {
    readonly host: string;
    readonly outcome: string;
    readonly because?: string;
    readonly changed: readonly { readonly step: string; readonly change: string }[];
    readonly execs: number;
  }[];
}

export function summaryOf({ events, stderr }: Ended): Summary {
  const last = events.at(-1);
  if (last?.event !== "summary") throw new Error(`The run ended without a summary:\n${stderr}`);
  return last as unknown as Summary;
}
