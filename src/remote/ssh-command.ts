import { type CommandLine, commandLine } from "../command-line.ts";
import type { EffectiveSettings } from "./effective-settings.ts";

/**
 * The ssh command that goes the same way, for a person to try. What ssh_config says ssh finds by itself: only what
 * the inventory, or the way over jump hosts, adds stands in it.
 */
export function sshCommand(settings: EffectiveSettings, ...options: readonly string[]): CommandLine {
  const { alias, user, port, identityFiles, knownHostsFiles, proxyJump } = settings;
  const words = [...options];
  if (identityFiles.from === "inventory") for (const file of identityFiles.value) words.push("-i", file);
  if (knownHostsFiles.from === "inventory")
    words.push("-o", `UserKnownHostsFile=${knownHostsFiles.value.map((file) => `"${file}"`).join(" ")}`);
  if (port.from === "inventory") words.push("-p", String(port.value));
  if (user.from === "inventory") words.push("-l", user.value);
  if (proxyJump.from === "route" && proxyJump.value !== undefined) words.push("-J", proxyJump.value);
  words.push(alias);
  return commandLine("ssh", ...words);
}
