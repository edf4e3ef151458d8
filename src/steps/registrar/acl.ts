import type { Change } from "../../contract/change.ts";
import type { HostName } from "../../contract/inventory-view.ts";
import type { Layer, Reading } from "../../contract/reading.ts";
import type { Fleet } from "../../contract/step.ts";
import { sha256Of } from "../../evidence/file.ts";
import { revealContent } from "../../secret.ts";
import { unitPath } from "../../smartstack/program.ts";
import { ZOOKEEPER_SESSION } from "../../zookeeper-session.ts";
import type { OwnService, RegistrarDesired } from "./desired.ts";
import { type Acls, nodePath, type RegisteredChild, type RegistrarFacts } from "./facts.ts";
import { CREDENTIALS, REGISTRAR_UNIT } from "./paths.ts";
import { WITH_CREDENTIALS } from "./unit.ts";

/** Ids of the changes. */
export const CLOSE = "close the paths";
const OPEN = "open the paths";
const REMOVE = "remove the credentials";

/** What ZooKeeper keeps of paths and nodes that only the mesh's own account may change, and of those that everybody may. */
const OWN = "own:31 world:anyone:1";
/** Above a service's path others may create: Synapse creates paths, and other programs may have theirs beside it. */
const OWN_ABOVE = "own:31 world:anyone:5";
const ANYBODY = "world:anyone:31";

/** How meshctl closes a path, as a session without the account sees it. */
const CLOSED_BY_ACCOUNT = /^digest:[^ ]+:x:31 world:anyone:[15]$/;

const INAPPLICABLE: Layer = { is: "inapplicable" };
/** Bits of rights, as in ZooDefs.Perms. */
const RIGHTS = ["read", "write", "create", "delete", "admin"];

/** The paths above one, the uppermost first, without the root: that is nobody's to close. */
export function pathsAbove(path: string): readonly string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}

interface Access {
  readonly readings: readonly Reading[];
  /** Made before those of Nerve. */
  readonly before: readonly Change[];
  /** Made when Nerve is as wanted. */
  readonly after: readonly Change[];
  /** Nothing of the step may change: what Nerve needs is not known, or a person has to act first. */
  readonly holds: boolean;
}

const NOTHING: Access = { readings: [], before: [], after: [], holds: false };

/** Who may change what in ZooKeeper, as rows, and the changes around those of Nerve that close them. */
export function accessOf(
  { desired, facts }: { desired: RegistrarDesired; facts: RegistrarFacts },
  fleet: Fleet<RegistrarDesired, RegistrarFacts>,
): Access {
  const { auth, services } = desired;
  const { credentials } = facts;
  if (auth !== undefined && services.length > 0) return closing(desired, auth, facts, fleet);
  if (credentials === undefined || credentials.kind === "absent") return NOTHING;
  return auth === undefined
    ? opening(desired, credentials, facts)
    : removing(credentials, "the host registers nothing");
}

function closing(
  desired: RegistrarDesired,
  { user }: NonNullable<RegistrarDesired["auth"]>,
  facts: RegistrarFacts,
  fleet: Fleet<RegistrarDesired, RegistrarFacts>,
): Access {
  // Several instances, and several services, may have one path.
  const services = [...new Map(desired.services.map((service) => [service.path, service])).values()];
  const paths = services.map(({ path }) => path);
  const want = `${user}: all, others: read`;
  if (facts.acls === undefined || "unread" in facts.acls) {
    const because = facts.acls?.unread ?? "it was not asked";
    const readings = services.flatMap((service) => [
      unreadRow(pathRow(service.path, want), because),
      unreadRow(nodesRow(service.path, want), because),
    ]);
    // Other credentials may have closed the paths: a Nerve that is started with these would register nothing.
    return { ...NOTHING, readings, holds: facts.credentials?.kind === "regular" };
  }
  const { acls, hidden } = presumed(facts.acls, user, facts);
  const members = [desired, ...[...fleet.values()].map((member) => member.desired)];
  const addresses = new Set(members.map(({ address }) => address));
  const opens = services.map((service) => {
    const open = openNodes(service, acls, facts);
    return { service, open, strangers: open.filter(({ endpoint }) => !addresses.has(endpoint?.host ?? "")) };
  });
  const isLocked = paths.some((path) => [...pathsAbove(path), path].some((each) => isOthers(acls, each)));
  const mayClose = !isLocked && opens.every(({ strangers }) => strangers.length === 0);
  const readings = opens.flatMap(({ service, open, strangers }): Reading[] => {
    const { path } = service;
    const wrong = [
      ...pathsAbove(path).filter((each) => acls.get(each) !== OWN_ABOVE),
      ...(acls.get(path) === OWN ? [] : [path]),
    ];
    const others = wrong.find((each) => isOthers(acls, each));
    const own = open.filter((node) => isHere(node, desired) || strangers.includes(node));
    const inForce = (found: readonly string[], asked: readonly string[], source: string): Layer =>
      found.length > 0
        ? read(shown(found, acls), source)
        : asked.some((each) => hidden.has(each))
          ? { is: "unreadable", source, because: NO_ACCOUNT_HERE }
          : read(want, source);
    return [
      {
        ...pathRow(path, want),
        inForce: inForce(wrong, [...pathsAbove(path), path], `getAcl ${path}`),
        blocked:
          others === undefined
            ? undefined
            : `${others} is closed for another account than mesh.zookeeper.auth's (${rightsOf(acls.get(others))}): to change user ` +
              "or password take mesh.zookeeper.auth out, provision, and put it in again; where the old password is lost, see " +
              "docs/network.md",
        closedBy: mayClose && wrong.length > 0 ? { change: CLOSE } : undefined,
      },
      {
        ...nodesRow(path, want),
        inForce: inForce(
          own.map(({ name }) => nodePath(service, name)),
          [...acls.keys()].filter((each) => each.startsWith(`${path}/`)),
          `getAcl ${path}/*`,
        ),
        blocked:
          strangers.length === 0
            ? undefined
            : `${strangers.map((node) => nodePath(service, node.name)).join(", ")}: others may change it, and it is of no ` +
              "registrar of the inventory, which could not register any more once the path is closed: give its registrar the " +
              "account of mesh.zookeeper.auth, or delete the node",
        because:
          own.length === 0
            ? undefined
            : `others may change ${own.map((node) => nodePath(service, node.name)).join(", ")}: Nerve here makes its nodes anew with the account when it is started again; delete one that stays`,
      },
    ];
  });
  const isOpen = readings.some(({ closedBy }) => closedBy !== undefined);
  const change: Change = {
    id: CLOSE,
    why: "anybody may create, delete and change what is registered",
    warning: `others may then create below ${[...new Set(paths.flatMap(pathsAbove))].join(", ") || "/"} and no longer delete or change there`,
    commands: [command("close", desired, paths)],
    activate: [],
  };
  return { ...NOTHING, readings, after: isOpen ? [change] : [], holds: !mayClose };
}

const NO_ACCOUNT_HERE = `without ${CREDENTIALS} this host has no account, and ZooKeeper shows the digest of one to its owner alone`;

/**
 * The access lists as they are if what is closed for our user is closed with our password: where the host has no account
 * yet, ZooKeeper does not tell. `hidden` are the paths of which that is presumed.
 */
function presumed(
  acls: Acls,
  user: string,
  { credentials }: RegistrarFacts,
): { readonly acls: Acls; readonly hidden: ReadonlySet<string> } {
  if (credentials?.kind !== "absent") return { acls, hidden: new Set() };
  const ours = (acl: string) =>
    acl
      .split(" ")
      .map((entry) => (entry === `digest:${user}:x:31` ? "own:31" : entry))
      .join(" ");
  return {
    acls: new Map([...acls].map(([path, acl]) => [path, ours(acl)])),
    hidden: new Set([...acls].filter(([, acl]) => ours(acl) !== acl).map(([path]) => path)),
  };
}

/** The host has an account that nothing on it needs. */
function removing(credentials: NonNullable<RegistrarFacts["credentials"]>, why: string): Access {
  const mayRemove = credentials.kind === "regular";
  const file: Reading = {
    setting: CREDENTIALS,
    want: "absent",
    onDisk:
      credentials.because === undefined
        ? read(mayRemove ? "an account" : credentials.kind, CREDENTIALS)
        : { is: "unreadable", source: CREDENTIALS, because: credentials.because },
    inForce: INAPPLICABLE,
    accepts: () => false,
    closedBy: mayRemove ? { change: REMOVE } : undefined,
  };
  const remove: Change = {
    id: REMOVE,
    why,
    commands: [{ kind: "remove", path: CREDENTIALS }],
    activate: [],
  };
  return { ...NOTHING, readings: [file], after: mayRemove ? [remove] : [] };
}

/**
 * The inventory asks for no account any more, and the host still has one. Of the mesh's other services it opens what is
 * closed as meshctl does it: perhaps no host registers there any more.
 */
function opening(
  desired: RegistrarDesired,
  credentials: NonNullable<RegistrarFacts["credentials"]>,
  { acls }: RegistrarFacts,
): Access {
  const want = "anybody: all";
  const own = [...new Set(desired.services.map(({ path }) => path))];
  const removal = removing(credentials, "mesh.zookeeper.auth is not asked for any more");
  if (acls === undefined || "unread" in acls || credentials.kind !== "regular") {
    const unread = acls !== undefined && "unread" in acls ? acls.unread : undefined;
    const because = credentials.because ?? unread ?? `${CREDENTIALS} is a ${credentials.kind}`;
    const rows = own.map((path) => unreadRow(pathRow(path, want), because));
    return { ...NOTHING, readings: [...rows, ...removal.readings], holds: true };
  }
  const isOpen = (path: string) => ["absent", ANYBODY].includes(acls.get(path) ?? "absent");
  const closedAt = (path: string) => [...pathsAbove(path), path].filter((each) => !isOpen(each));
  const others = desired.paths.filter(
    (path) =>
      !own.includes(path) && closedAt(path).every((each) => CLOSED_BY_ACCOUNT.test(acls.get(each) ?? "")),
  );
  const paths = [...own, ...others];
  const rows = paths.map((path): Reading => {
    const closed = closedAt(path);
    return {
      ...pathRow(path, want),
      inForce: read(closed.length === 0 ? want : shown(closed, acls), `getAcl ${path}`),
      closedBy: { change: OPEN },
    };
  });
  const open: Change = {
    id: OPEN,
    why: "without mesh.zookeeper.auth registrars have no account, and the paths are closed to all others",
    warning: "anybody who reaches ZooKeeper may then register, delete and change backends",
    commands: [command("open", desired, [...own, ...others.filter((path) => closedAt(path).length > 0)])],
    activate: [],
  };
  return {
    readings: [...rows, ...removal.readings],
    before: paths.some((path) => closedAt(path).length > 0) ? [open] : [],
    after: removal.after,
    holds: false,
  };
}

function pathRow(path: string, want: string): Reading {
  return { row: `acl/${path}`, setting: `ACL of ${path}`, want, onDisk: INAPPLICABLE, inForce: INAPPLICABLE };
}

function nodesRow(path: string, want: string): Reading {
  return {
    row: `acl-of-nodes/${path}`,
    setting: `ACL of nodes in ${path}`,
    want,
    onDisk: INAPPLICABLE,
    inForce: INAPPLICABLE,
  };
}

function unreadRow(row: Reading, because: string): Reading {
  return {
    ...row,
    inForce: { is: "unreadable", source: row.setting.replace(/^ACL of (?:nodes in )?/, "getAcl "), because },
  };
}

function read(value: string, source: string): Layer {
  return { is: "read", value, source };
}

function shown(paths: readonly string[], acls: Acls): string {
  return paths.map((path) => `${path} ${rightsOf(acls.get(path))}`).join("; ");
}

/** "anyone: read, write" */
function rightsOf(acl: string | undefined): string {
  if (acl === undefined || acl === "absent") return "is not there";
  if (acl.startsWith("error ")) return `may not be read (${acl})`;
  const entries = acl.split(" ").map((entry) => {
    const [who, rights] = [
      entry.slice(0, entry.lastIndexOf(":")),
      Number(entry.slice(entry.lastIndexOf(":") + 1)),
    ];
    const words = rights === 31 ? ["all"] : RIGHTS.filter((_, bit) => rights & (1 << bit));
    return `${who.replace(/^world:/, "")}: ${words.join(", ")}`;
  });
  return entries.join("; ");
}

/** Whether a path is closed, and not for our account: what is registered with it would be refused. */
function isOthers(acls: Acls, path: string): boolean {
  const acl = acls.get(path) ?? "absent";
  if (acl === "absent") return false;
  const entries = acl.split(" ");
  return !entries.some((entry) => /^(?:own|world:anyone):31$/.test(entry));
}

/** Nodes of a service that others than our account may change. */
function openNodes(
  service: OwnService,
  acls: Acls,
  { registry }: RegistrarFacts,
): readonly RegisteredChild[] {
  if (registry === undefined || "unreachable" in registry) return [];
  return registry.children.filter(({ service: name, name: child }) => {
    if (name !== service.name) return false;
    const acl = acls.get(nodePath(service, child));
    // One that is gone meanwhile is nobody's.
    return acl !== undefined && acl !== "absent" && acl !== OWN;
  });
}

function isHere({ endpoint }: RegisteredChild, { address }: RegistrarDesired): boolean {
  return endpoint?.host === address;
}

/** Whether paths may be closed to a Nerve without the account: also when that was not read. */
export function mayBeClosed(facts: Pick<RegistrarFacts, "acls" | "registry"> | undefined): boolean {
  const { acls, registry } = facts ?? {};
  if (acls === undefined || "unread" in acls || registry === undefined || "unreachable" in registry)
    return true;
  const nodes = new Set(registry.children.map(({ name }) => name));
  const paths = [...acls].filter(([path]) => !nodes.has(path.split("/").at(-1)!));
  return paths.some(([, acl]) => acl !== "absent" && !acl.split(" ").includes(ANYBODY));
}

/** Whether the Nerve that runs registers with the account that is wanted, and has nothing registered without it. */
export function authenticates(desired: RegistrarDesired, facts: RegistrarFacts): boolean {
  const { services, auth } = desired;
  const { files, process, acls } = facts;
  if (services.length === 0) return true;
  if (auth === undefined || acls === undefined || "unread" in acls) return false;
  const unit = files.get(unitPath(REGISTRAR_UNIT));
  const account = sha256Of(revealContent(auth.file));
  return (
    files.get(CREDENTIALS)?.sha256 === account &&
    process?.startedWith?.get(CREDENTIALS) === account &&
    unit?.content?.includes(WITH_CREDENTIALS) === true &&
    process.startedWith.get(unit.path) === unit.sha256 &&
    // One that outlives its session is none of Nerve's.
    !services.some((service) =>
      openNodes(service, acls, facts).some((node) => node.owner !== undefined && isHere(node, desired)),
    )
  );
}

/** Who does not register with the account yet, or cannot be seen. */
export function withoutAccount(fleet: Fleet<RegistrarDesired, RegistrarFacts>): readonly HostName[] {
  return [...fleet].flatMap(([name, member]) =>
    member.is === "seen" && authenticates(member.desired, member.facts) ? [] : [name],
  );
}

function command(verb: "close" | "open", { members }: RegistrarDesired, paths: readonly string[]) {
  const above = [...new Set(paths.flatMap(pathsAbove))].toSorted(
    (a, b) => a.split("/").length - b.split("/").length,
  );
  return {
    kind: "script",
    file: new URL("./set-acls.pl", import.meta.url),
    before: [ZOOKEEPER_SESSION],
    args: [verb, CREDENTIALS, members.join(","), `${above.length}`, ...above, ...paths],
    timeoutMs: 60_000,
  } as const;
}
