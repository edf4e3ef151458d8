import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { commandLine } from "../command-line.ts";
import type { HostName } from "../contract/inventory-view.ts";
import { EXIT, exitCodeOf } from "../engine/exit-code.ts";
import { ConfigurationError, isAway } from "../errors.ts";
import { ansibleHosts } from "../init/ansible.ts";
import { findings } from "../init/findings.ts";
import { inventoryText } from "../init/inventory-text.ts";
import type { LookedHost } from "../init/looked-host.ts";
import type { Named, NamedHost } from "../init/named-host.ts";
import {
  ensembleProblem,
  isServiceName,
  type Proposal,
  poolText,
  proposalFor,
  type Wanted,
} from "../init/proposal.ts";
import { sshConfigHosts } from "../init/ssh-config-hosts.ts";
import { terraformHosts } from "../init/terraform.ts";
import { typedHosts } from "../init/typed-hosts.ts";
import { fileError } from "../inventory/file-error.ts";
import { didYouMean } from "../inventory/nearest-name.ts";
import type { SshSettings } from "../inventory/ssh-settings.ts";
import { namedList } from "../named-list.ts";
import { loadFiles } from "../playbook/load-files.ts";
import { namedHosts } from "../remote/ssh-config-files.ts";
import { steps } from "../steps/registry.ts";
import { lookAtNamed } from "./init-look.ts";
import { playbookFile } from "./options.ts";
import { isInteractive } from "./remotes.ts";
import { shownText } from "./shown.ts";
import { askForHosts, askToWrite, askWanted } from "./ui/init-questions.ts";
import { brokenFor } from "./ui/wrapped.ts";

export interface InitFlags {
  readonly hosts?: string;
  /** True without a pattern. */
  readonly fromSshConfig?: string | true;
  readonly fromAnsible?: string;
  readonly fromTerraform?: string;
  readonly user?: string;
  readonly identityFile?: string;
  readonly knownHosts?: string;
  readonly hostKeys?: SshSettings["hostKeys"];
  /** False with `--no-look`. */
  readonly look: boolean;
  readonly ensemble?: string;
  readonly proxies?: string;
  readonly databases?: string;
  readonly services?: string;
  readonly parallel: number;
  readonly force?: true;
  readonly yes?: true;
  readonly color: boolean;
}

const SOURCES = "--hosts, --from-ssh-config, --from-ansible or --from-terraform";

/** Asks, looks, proposes and writes a first inventory. Returns the exit code. Throws ConfigurationError. */
export async function initCommand(file: string, flags: InitFlags): Promise<number> {
  const asks = flags.yes !== true && isInteractive({});
  refuseToOverwrite(file, flags);
  const say = (text: string) => process.stderr.write(`${brokenFor(process.stderr, shownText(text))}\n`);

  const flagged = await fromFlags(flags);
  if (flagged === undefined && !asks) throw new ConfigurationError(`init: name the hosts with ${SOURCES}`);
  const knownHosts = flags.knownHosts === undefined ? undefined : fromHere(flags.knownHosts);
  const look = async (sourced: Sourced) => {
    const named = withLogin(sourced, flags);
    const count = named.hosts.length;
    if (flags.look) say(`Looking at ${count === 1 ? "1 host" : `${count} hosts`}: nothing is changed.`);
    const looked = await lookAtNamed(named.hosts, {
      ...{ look: flags.look, parallel: flags.parallel, color: flags.color, hostKeys: flags.hostKeys, file },
      json: !asks,
      knownHosts,
    });
    return { named, ...looked };
  };
  const known =
    flagged === undefined
      ? await askForHosts(await namedHosts(undefined), async (chosen) => {
          const sourced = await fromFlags({ ...flags, ...chosen });
          return sourced && look(sourced);
        })
      : await look(flagged);
  if (known === undefined) return EXIT.interrupted;
  const { named, hosts, names, notes, unseen } = known;
  for (const note of [...named.notes, ...notes]) say(`! ${note}`);
  if (flags.look) for (const line of findings(hosts)) say(`  ${line}`);

  const groups = renamed(named, names);
  const wanted = wantedBy(flags, hosts);
  const chosen = asks ? await askWanted(hosts, proposalFor(hosts, groups, wanted), wanted) : wanted;
  if (chosen === undefined) return EXIT.interrupted;
  const proposal = proposalFor(hosts, groups, chosen);
  for (const line of told(proposal)) say(line);

  const text = inventoryText({
    hosts,
    groups,
    proposal,
    hostKeys: flags.hostKeys,
    knownHosts,
    from: named.from,
  });
  // As `meshctl validate` does: what it would refuse is not written.
  await loadFiles({ inventoryFile: { file, text }, playbookFile: playbookFile(undefined) }, steps);
  if (asks) {
    const answer = await askToWrite(file);
    if (answer === undefined) return EXIT.interrupted;
    if (!answer) return EXIT.asWanted;
  }
  write(file, text, flags);
  process.stdout.write(
    `${file} is written and valid. Type next: ${commandLine("meshctl", "plan", "-i", file)}\n`,
  );
  return exitCodeOf([
    ...unseen.map((error) => ({ is: isAway(error) ? ("unreachable" as const) : ("failed" as const) })),
    ...hosts.flatMap((host) => (isUnseen(host) ? [] : [{ is: "as wanted" as const }])),
  ]);
}

/** Hosts with where they are from, in words. */
interface Sourced extends Named {
  readonly from: string;
}

/** What the flags name; undefined where they name nothing. Throws ConfigurationError. */
async function fromFlags(flags: Partial<InitFlags>): Promise<Sourced | undefined> {
  const sources: Sourced[] = [];
  const plain = (hosts: readonly NamedHost[], from: string) =>
    sources.push({ hosts, from, groups: new Map(), notes: [] });
  if (flags.hosts !== undefined) plain(typedHosts(flags.hosts), "the hosts that were named");
  if (flags.fromSshConfig !== undefined)
    plain(sshConfigHosts(await namedHosts(undefined), flags.fromSshConfig), "~/.ssh/config");
  if (flags.fromAnsible !== undefined)
    sources.push({
      ...withVariableFiles(ansibleHosts(givenText(flags.fromAnsible)), flags.fromAnsible),
      from: `the Ansible inventory ${flags.fromAnsible}`,
    });
  if (flags.fromTerraform !== undefined)
    sources.push({ ...terraformHosts(givenText(flags.fromTerraform)), from: "Terraform's outputs" });
  return sources.length === 0 ? undefined : united(sources);
}

/** Several sources as one. The same host in two of them is one host where both say the same. */
function united(sources: readonly Sourced[]): Sourced {
  const hosts = new Map<HostName, NamedHost>();
  const groups = new Map<string, readonly HostName[]>();
  for (const host of sources.flatMap((source) => source.hosts)) {
    const before = hosts.get(host.name);
    if (before !== undefined && JSON.stringify(before.ssh) !== JSON.stringify(host.ssh))
      throw new ConfigurationError(
        `${host.from}: ${host.name} is named already, to be reached otherwise: ${before.from}`,
      );
    if (before === undefined) hosts.set(host.name, host);
  }
  for (const [group, members] of sources.flatMap((source) => [...source.groups]))
    groups.set(group, [...new Set([...(groups.get(group) ?? []), ...members])]);
  return {
    hosts: [...hosts.values()],
    groups,
    notes: sources.flatMap(({ notes }) => notes),
    from: sources.map(({ from }) => from).join(" and "),
  };
}

/** Says so where variables stand in files beside an Ansible inventory. */
function withVariableFiles(named: Named, file: string): Named {
  const folders = ["group_vars", "host_vars"].filter(
    (folder) => file !== "-" && existsSync(join(dirname(file), folder)),
  );
  if (folders.length === 0) return named;
  const are = folders.length === 1 ? "is" : "are";
  const note = `${folders.join(" and ")} ${are} not read: take what \`ansible-inventory --list\` prints`;
  return { ...named, notes: [...named.notes, note] };
}

function givenText(file: string): { readonly file: string; readonly text: string } {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file === "-" ? 0 : file));
    return { file, text };
  } catch (error) {
    throw new ConfigurationError(`${file}: ${fileError(error)}`);
  }
}

/** With what the flags say of all hosts; what a source says of one wins. */
function withLogin(named: Sourced, { user, identityFile }: InitFlags): Sourced {
  const login = {
    ...(user === undefined ? {} : { user }),
    ...(identityFile === undefined ? {} : { identityFile: fromHere(identityFile) }),
  };
  return { ...named, hosts: named.hosts.map((host) => ({ ...host, ssh: { ...login, ...host.ssh } })) };
}

/** In the inventory a relative path starts at the inventory's folder. */
function fromHere(path: string): string {
  return path.startsWith("~") ? path : resolve(path);
}

/** Groups without hosts that were left out, and with the names that hosts got. */
function renamed(
  { groups }: Named,
  names: ReadonlyMap<HostName, HostName>,
): ReadonlyMap<string, readonly HostName[]> {
  return new Map(
    [...groups]
      .map(([group, members]) => [group, members.flatMap((member) => names.get(member) ?? [])] as const)
      .filter(([, members]) => members.length > 0),
  );
}

/** What the flags decide. Throws ConfigurationError. */
function wantedBy(flags: InitFlags, hosts: readonly LookedHost[]): Wanted {
  const known = hosts.map(({ name }) => name);
  const names = (flag: string, text: string | undefined): readonly HostName[] | undefined => {
    if (text === undefined) return undefined;
    const words = text
      .split(",")
      .map((word) => word.trim())
      .filter((word) => word !== "");
    const unknown = words.find((word) => !known.includes(word));
    if (unknown !== undefined)
      throw new ConfigurationError(`--${flag}: there is no host '${unknown}'${didYouMean(unknown, known)}`);
    return known.filter((name) => words.includes(name));
  };
  const ensemble = names("ensemble", flags.ensemble);
  const problem = ensemble === undefined ? undefined : ensembleProblem(ensemble);
  if (problem !== undefined) throw new ConfigurationError(`--ensemble: ${problem}`);
  const proxies = names("proxies", flags.proxies);
  const databases = flags.databases === "none" ? [] : names("databases", flags.databases);
  const typed = flags.services?.split(",").map((word) => word.trim());
  const services = typed && [...new Set(typed)];
  const misnamed = services?.find((name) => !isServiceName(name));
  if (misnamed !== undefined)
    throw new ConfigurationError(`--services: expected names like user-api, found '${misnamed}'`);
  return {
    ...(ensemble && { ensemble }),
    ...(proxies && { proxies }),
    ...(databases && { databases }),
    ...(services && { services }),
  };
}

function told(proposal: Proposal): readonly string[] {
  const { ensemble, proxies, databases, ports, services } = proposal;
  const list = (names: readonly string[]) => namedList(names, 6);
  return [
    `ZooKeeper   ${list(ensemble)} (ports ${ports.client}, ${ports.quorum}, ${ports.election})`,
    `proxies     ${list(proxies)}`,
    ...(databases.length === 0 ? [] : [`databases   ${list(databases)} (buffer pool ${poolText(proposal)})`]),
    ...services.map(({ name, port }) => `service     ${name} at 127.0.0.1:${port} on each of them`),
  ];
}

function refuseToOverwrite(file: string, { force }: InitFlags): void {
  if (force !== true && existsSync(file))
    throw new ConfigurationError(`${file} is there already: name another file, or overwrite it with --force`);
}

/** What is overwritten stays whole until the new file is. */
function write(file: string, text: string, { force }: InitFlags): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const before = force === true ? statSync(file, { throwIfNoEntry: false }) : undefined;
    if (before === undefined) writeFileSync(file, text, { flag: "wx" });
    else if (before.isFile()) overwrite(realpathSync(file), text, before.mode & 0o777);
    else writeFileSync(file, text);
  } catch (error) {
    throw new ConfigurationError(`${file} cannot be written: ${fileError(error)}`);
  }
}

function overwrite(file: string, text: string, mode: number): void {
  const partial = `${file}.${process.pid}.new`;
  try {
    writeFileSync(partial, text, { flag: "wx" });
    chmodSync(partial, mode);
    renameSync(partial, file);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

/** Whether its look failed. */
function isUnseen({ seen }: LookedHost): boolean {
  return seen !== undefined && "because" in seen;
}
