import { ConfigurationError } from "../errors.ts";
import { matchHosts } from "../inventory/pattern.ts";
import { DEADLINES } from "../remote/deadlines.ts";
import { effectiveSettings } from "../remote/effective-settings.ts";
import { sshConfigReader } from "../remote/ssh-config.ts";
import { maskSecrets, type Secret } from "../secret.ts";
import { withLastRun } from "./last-run.ts";
import { load } from "./load.ts";
import type { FileOptions } from "./options.ts";
import { shownData, shownText } from "./shown.ts";
import { tableOf } from "./ui/columns.ts";

/** Lists hosts, or tells of one how it would be reached. Throws ConfigurationError; touches no host. */
export async function hostsCommand(pattern: string, flags: FileOptions): Promise<void> {
  const { inventory, job } = await load(flags);
  const names = matchHosts(withLastRun(pattern), inventory);
  const config = sshConfigReader(undefined, (message) => process.stderr.write(`${message}\n`));
  const listed = await Promise.all(
    names.map(async (name) => {
      const host = inventory.hosts.get(name)!;
      const steps = job.plays
        .filter((play) => play.hosts.includes(name))
        .flatMap((play) => play.steps.map(({ step }) => step.name));
      const { host: _name, ...settings } = await effectiveSettings(name, host.ssh, config).catch(
        (error: Error) => {
          throw new ConfigurationError(`${name}: ${error.message}`, { cause: error });
        },
      );
      const { password, passphrase, sudoPassword } = host.ssh;
      const shown = {
        ...settings,
        keepaliveMs: {
          ...settings.keepaliveMs,
          value: settings.keepaliveMs.value ?? DEADLINES.keepaliveMs,
        },
        password: whetherSet(password),
        passphrase: whetherSet(passphrase),
        sudoPassword: whetherSet(sudoPassword),
      };
      const ssh = Object.fromEntries(Object.entries(shown).map(([key, value]) => [snakeCase(key), value]));
      const parameters = Object.fromEntries(steps.map((step) => [step, host.written.get(step)]));
      const country = host.country?.code;
      return {
        name,
        address: host.address,
        ...(country && { country }),
        groups: host.groups,
        steps,
        ssh,
        parameters,
      };
    }),
  );
  if (flags.json) {
    process.stdout.write(maskSecrets(`${JSON.stringify(listed, null, 2)}\n`));
    return;
  }
  if (pattern !== "all" && listed.length === 1) {
    process.stdout.write(`${shownText(describe(listed[0]!))}\n`);
    return;
  }
  const rows = listed.map(({ name, address, groups, steps }) => [
    name,
    address,
    groups.join(", "),
    steps.join(", "),
  ]);
  const table = [["host", "address", "groups", "steps"], ...rows];
  process.stdout.write(`${tableOf(shownData(table), process.stdout.columns)}\n`);
}

/** What a secret's setting shows of it. */
function whetherSet(secret: Secret | undefined): { value: string; from: string } {
  return secret === undefined ? { value: "not set", from: "default" } : { value: "set", from: "inventory" };
}

/** Keys look as they do in the inventory. */
function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

interface Listed {
  readonly name: string;
  readonly address: string;
  readonly country?: string;
  readonly groups: readonly string[];
  readonly steps: readonly string[];
  readonly ssh: object;
  readonly parameters: Readonly<Record<string, unknown>>;
}

function describe({ name, address, country, groups, steps, ssh, parameters }: Listed): string {
  const lines = [
    `${name}  ${address}`,
    ...(country === undefined ? [] : [`country: ${country}`]),
    `groups: ${groups.join(", ") || "none"}`,
    `steps: ${steps.join(", ") || "none"}`,
    "ssh:",
  ];
  for (const [key, setting] of Object.entries(ssh)) {
    if (typeof setting === "string") lines.push(`  ${key}: ${setting}`);
    else if (setting.value !== undefined)
      lines.push(`  ${key}: ${[setting.value].flat().join(", ") || "none"}  (${setting.from})`);
  }
  lines.push("parameters, as the files write them; the rest are defaults:");
  for (const [step, values] of Object.entries(parameters)) lines.push(`  ${step}: ${JSON.stringify(values)}`);
  return lines.join("\n");
}
