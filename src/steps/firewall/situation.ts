import { type AddressRange, contains, isSame, parseAddressRange } from "../../address-range.ts";
import type { WantedFile } from "../../contract/change.ts";
import type { HostFacts } from "../../contract/host.ts";
import { assessFile, type FileAssessment, type FileFact, plainFile } from "../../evidence/file.ts";
import { isLoopback, isSameIp } from "../../ip.ts";
import type { FirewallFacts } from "./facts.ts";
import type { FirewallFleet } from "./fleet.ts";
import { DROP_IN, RULES, UNIT_FILE } from "./paths.ts";
import { CLIENTS, MEMBERS, type Rules, renderRules } from "./rules.ts";
import { readTable, type Table, type Unread } from "./table.ts";
import { firewallUnit, nftablesDropIn } from "./units.ts";

/** A file of the step, as it is and as it is wanted. */
export interface OwnFile {
  readonly fact: FileFact;
  readonly wanted: WantedFile;
  readonly assessment: FileAssessment;
}

/** A host that is to have the table, and what was seen of it. */
export interface Situation {
  readonly rules: Rules;
  readonly facts: FirewallFacts;
  readonly host: HostFacts;
  readonly files: { readonly rules: OwnFile; readonly unit: OwnFile; readonly dropIn: OwnFile };
  /** meshctl's table in the kernel; undefined when there is none. */
  readonly table: Table | Unread | undefined;
  /** Connections of others that the rules would cut off. */
  readonly strangers: readonly Stranger[];
}

interface Stranger {
  readonly port: number;
  readonly address: string;
  /** The member that has the address beside the one in the inventory. */
  readonly member: string | undefined;
}

export function situationOf(
  { rules, adopt }: { readonly rules: Rules; readonly adopt: boolean },
  facts: FirewallFacts,
  host: HostFacts,
  fleet: FirewallFleet,
): Situation {
  const own = (fact: FileFact, wanted: WantedFile): OwnFile => ({
    fact,
    wanted,
    assessment: assessFile(fact, wanted, host.manifest, adopt),
  });
  const [rulesFile, unit, dropIn] = wantedFiles(rules);
  return {
    rules,
    facts,
    host,
    files: {
      rules: own(facts.files.rules, rulesFile),
      unit: own(facts.files.unit, unit),
      dropIn: own(facts.files.dropIn, dropIn),
    },
    table: tableOf(facts, rules),
    strangers: strangersOf(rules, facts, host, fleet),
  };
}

/** The step's files, as they would be on a bare host too. */
export function wantedFiles(rules: Rules): readonly [WantedFile, WantedFile, WantedFile] {
  return [
    plainFile(RULES, renderRules(rules)),
    plainFile(UNIT_FILE, firewallUnit()),
    plainFile(DROP_IN, nftablesDropIn()),
  ];
}

function tableOf({ kernel }: FirewallFacts, rules: Rules): Table | Unread | undefined {
  if (kernel.is === "unread") return { unread: kernel.because };
  if (kernel.is === "no nft" || kernel.table === undefined) return undefined;
  return readTable(kernel.table.text, kernel.table.json, rules);
}

export function sourcesFor({ clientPort, clients, members }: Rules, port: number): readonly AddressRange[] {
  return port === clientPort ? clients : members;
}

function strangersOf(
  rules: Rules,
  { peers }: FirewallFacts,
  host: HostFacts,
  fleet: FirewallFleet,
): readonly Stranger[] {
  if ("unread" in peers) return [];
  return peers
    .filter(({ address }) => !isLoopback(address) && !host.addresses.some((own) => isSameIp(own, address)))
    .filter(({ address, port }) => {
      const range = parseAddressRange(address);
      return typeof range === "object" && !sourcesFor(rules, port).some((source) => contains(source, range));
    })
    .map(({ address, port }) => ({
      port,
      address,
      member: [...fleet].find(
        ([, member]) => member.is === "seen" && member.host.addresses.some((own) => isSameIp(own, address)),
      )?.[0],
    }));
}

/** Whether the kernel has the table as it is wanted. */
export function isAsWanted({ table, rules }: Situation): boolean {
  if (table === undefined || "unread" in table || table.otherwise.length > 0) return false;
  return [[CLIENTS, rules.clients] as const, [MEMBERS, rules.members] as const].every(([names, sources]) => {
    const held = [...(table.sets.get(names[4]) ?? []), ...(table.sets.get(names[6]) ?? [])];
    return isSame(held, sources);
  });
}
