import type { HostName } from "../../contract/inventory-view.ts";
import { ConfigurationError } from "../../errors.ts";
import type { LookedHost } from "../../init/looked-host.ts";
import { ensembleProblem, isServiceName, type Proposal, type Wanted } from "../../init/proposal.ts";
import { typedHosts } from "../../init/typed-hosts.ts";
import { shownText } from "../shown.ts";
import { askText, choose, confirm, tick } from "./ask.ts";

/** Where hosts may be taken from, as flags of `meshctl init`. */
type Source =
  | { hosts: string }
  | { fromSshConfig: string }
  | { fromAnsible: string }
  | { fromTerraform: string };

/**
 * Asks where the hosts are from until they can be had. `take` reads a source and throws ConfigurationError. Undefined on ^C.
 */
export async function askForHosts<T>(
  inSshConfig: readonly string[],
  take: (source: Source) => Promise<T | undefined>,
): Promise<T | undefined> {
  for (;;) {
    const source = await askForSource(inSshConfig);
    if (source === undefined) return undefined;
    try {
      return await take(source);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      process.stderr.write(`${shownText(error.message)}\n`);
    }
  }
}

async function askForSource(inSshConfig: readonly string[]): Promise<Source | undefined> {
  const kind = await choose("Where are the hosts from?", [
    { name: "I type them", value: "typed" as const },
    ...(inSshConfig.length === 0
      ? []
      : [{ name: `~/.ssh/config (${inSshConfig.length} named there)`, value: "ssh" as const }]),
    { name: "An Ansible inventory", value: "ansible" as const },
    { name: "terraform output -json, in a file", value: "terraform" as const },
  ]);
  if (kind === undefined) return undefined;
  if (kind === "typed") {
    const hosts = await askText("Hosts, like kvm-[01:03] or ops@10.0.0.4:", "", (text) =>
      mistakeIn(() => typedHosts(text, "hosts")),
    );
    return hosts === undefined ? undefined : { hosts };
  }
  if (kind === "ssh") {
    const chosen = await tick(
      "Which of them?",
      inSshConfig.map((name) => ({ name: shownText(name), value: name })),
      (names) => (names.length === 0 ? "choose at least one, with the space bar" : undefined),
    );
    return chosen === undefined ? undefined : { fromSshConfig: chosen.join(",") };
  }
  const file = await askText("Its file:", kind === "ansible" ? "hosts.ini" : "terraform.json", (text) =>
    text.trim() === "" ? "expected a file" : undefined,
  );
  if (file === undefined) return undefined;
  return kind === "ansible" ? { fromAnsible: file.trim() } : { fromTerraform: file.trim() };
}

function mistakeIn(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
}

/** Shows what is proposed and lets a person change it; asks for nothing that flags have decided. Undefined on ^C. */
export async function askWanted(
  hosts: readonly LookedHost[],
  proposal: Proposal,
  decided: Wanted,
): Promise<Wanted | undefined> {
  const from = (checked: readonly HostName[]) =>
    hosts.map(({ name }) => ({ name, value: name, checked: checked.includes(name) }));
  const ensemble =
    decided.ensemble ?? (await tick("ZooKeeper's members:", from(proposal.ensemble), ensembleProblem));
  if (ensemble === undefined) return undefined;
  const proxies =
    decided.proxies ??
    (await tick("Hosts with a local proxy, where applications run:", from(proposal.proxies), (names) =>
      names.length === 0 ? "choose at least one" : undefined,
    ));
  if (proxies === undefined) return undefined;
  const databases =
    decided.databases ??
    (proposal.databases.length === 0
      ? []
      : await tick(
          "Hosts whose MySQL or MariaDB is to be set up:",
          from(proposal.databases),
          () => undefined,
        ));
  if (databases === undefined) return undefined;
  const services = decided.services ?? (await askServices());
  return services && { ensemble, proxies, databases, services };
}

async function askServices(): Promise<readonly string[] | undefined> {
  const namesIn = (text: string): readonly string[] => [
    ...new Set(text.split(/[\s,]+/).filter((name) => name !== "")),
  ];
  const text = await askText("First services, like user-api (none: leave it empty):", "", (typed) => {
    const wrong = namesIn(typed).find((name) => !isServiceName(name));
    return wrong === undefined
      ? undefined
      : `expected names of letters, digits, '-', '_' and '.', found '${wrong}'`;
  });
  return text === undefined ? undefined : namesIn(text);
}

/** Whether the inventory is to be written; undefined on ^C. */
export function askToWrite(file: string): Promise<boolean | undefined> {
  return confirm(`Write ${file}?`, true);
}
