import { commandLine } from "../../command-line.ts";
import { type ByDns, type Discovery, namesOf } from "../../contract/mesh.ts";
import { DNS_ASKER } from "./paths.ts";

/** How the rows speak of what tells a service's servers. */
export interface ToldBy {
  /** What a server is that is wanted: "registered". */
  readonly told: string;
  /** What is wanted while it is not known. */
  readonly want: string;
  /** Where it is told: "/services/user-api". */
  readonly place: string;
  /** Where a person can see the same. */
  readonly source: string;
  /** What is not known then. */
  readonly unknown: string;
  /** What is to be mended of a server that HAProxy goes without. */
  readonly mend: string;
  /** And of one that Synapse does not take. */
  readonly mendOwn: string;
}

/** The words for each kind of discovery. */
export function toldBy(discovery: Discovery): ToldBy {
  switch (discovery.by) {
    case "inventory":
      return {
        told: "listed",
        want: "as listed",
        place: "the inventory",
        source: "the inventory",
        unknown: "the listed servers",
        mend: "what is listed in the inventory",
        mendOwn: "what is listed in the inventory",
      };
    case "zookeeper":
      return {
        told: "registered",
        want: "as registered",
        place: discovery.path,
        source: `ZooKeeper ${discovery.path}`,
        unknown: "the registrations",
        mend: `what is registered in ${discovery.path}`,
        mendOwn: "what it registers",
      };
    case "dns": {
      const names = namesOf(discovery).join(", ");
      return {
        told: "told by DNS",
        want: "as DNS says",
        place: names,
        source: commandLine(...namesQuestion(discovery)),
        unknown: `the addresses of ${names}`,
        mend: `what DNS says of ${names}`,
        mendOwn: `what DNS says of ${names}, or mesh.networks`,
      };
    }
  }
}

/** What a person types on a proxy to hear what it hears. */
export function namesQuestion({ names, nameserver }: ByDns): readonly [string, ...string[]] {
  return ["ruby", DNS_ASKER, nameserver ?? "", ...new Set(names.map(({ host }) => host))];
}
