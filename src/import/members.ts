/** The members of an ensemble as Synapse's `hosts` and Nerve's `zk_hosts` name them. */
export interface NamedMembers {
  /** HOST:PORT, each once. */
  readonly members: readonly string[];
  /** The znode below which all paths are, without "/" at its end; "" without one. */
  readonly chroot: string;
}

/** A list, or one text with commas. ZooKeeper's client takes a chroot behind the last host, and people put it behind each. */
export function membersIn(given: unknown): NamedMembers | "several chroots" {
  const texts = (Array.isArray(given) ? given : [given]).filter((each) => typeof each === "string");
  const members = new Set<string>();
  const chroots = new Set<string>();
  for (const each of texts.flatMap((text) => text.split(","))) {
    const [, at = "", chroot = ""] = /^\s*([^/\s]+)(\/\S*)?\s*$/.exec(each) ?? [];
    if (at !== "") members.add(/:\d+$/.test(at) ? at : `${at}:2181`);
    const bare = chroot.replace(/\/+$/, "");
    if (bare !== "") chroots.add(bare);
  }
  if (chroots.size > 1) return "several chroots";
  return { members: [...members], chroot: [...chroots][0] ?? "" };
}

/** Whether two lists may be of one ensemble: a name that both have. */
export function mayBeOne(one: readonly string[], other: readonly string[]): boolean {
  return one.length === 0 || other.length === 0 || one.some((member) => other.includes(member));
}
