import { basename } from "node:path/posix";

/** Files of meshctl's by the unit that reads them, beside the unit's own. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  "haproxy.service": ["/etc/haproxy/haproxy.cfg"],
  "zookeeper.service": ["/etc/zookeeper/conf/zoo.cfg", "/etc/zookeeper/conf_example/zoo.cfg"],
  "mariadb.service": ["/etc/mysql/mariadb.conf.d/zz-meshctl.cnf"],
  "mysql.service": ["/etc/mysql/mysql.conf.d/zz-meshctl.cnf"],
  "meshctl-watcher.service": ["/etc/meshctl/synapse.conf.json"],
  "meshctl-registrar.service": ["/etc/meshctl/nerve.conf.json"],
  "systemd-sysctl.service": ["/etc/sysctl.d/99-zz-meshctl.conf"],
  "meshctl-firewall.service": ["/etc/meshctl/firewall.nft"],
};

const NAMES = [
  ...new Set(
    Object.values(FILES)
      .flat()
      .map((path) => basename(path)),
  ),
];
/** What else is lost with the directories that it is in, by the unit that has it there unless it is told otherwise. */
const DATA: Readonly<Record<string, string>> = {
  "zookeeper.service": "/var/lib/zookeeper/data/version-2",
  "mariadb.service": "/var/lib/mysql/ibdata1",
  "mysql.service": "/var/lib/mysql/ibdata1",
  "meshctl-watcher.service": "/opt/meshctl/watcher",
  "meshctl-registrar.service": "/opt/meshctl/registrar",
};
const DIRECTORIES =
  "/(?:etc/(?:haproxy|zookeeper|mysql|meshctl)|var/lib/(?:zookeeper|mysql)|opt/meshctl)(?![\\w-])";
/** Programs that write a file, or take it away. */
const WRITERS = "cp|mv|install|ln|rsync|scp|tee|sed|perl|rm|unlink|shred|truncate|curl|wget|dd";
const WRITER = new RegExp(`^(?:\\S*/)?(?:${WRITERS})$`);
/** Programs that take a file from a service in another way. */
const TAKERS = "chown|chgrp|chmod|chattr|mount|find";

/** What a line that writes one of these files has: who does, and the file's name behind it. */
export const OVERWRITING = {
  writer: `(?:>|\\b(?:${WRITERS}|${TAKERS})\\b)`,
  /** Files by their names; directories have names of services. */
  names: NAMES,
  file: `(?:${[
    ...[...NAMES, "haproxy.service", "zookeeper.service", "meshctl-\\w+.service"].map((name) =>
      name.replaceAll(".", "\\."),
    ),
    DIRECTORIES,
  ].join("|")})`,
} as const;

/** What a command does to a file or to data of a unit: "writes over FILE of"; undefined where it does nothing. */
export function overwrittenBy(words: readonly string[], unit: string): string | undefined {
  const files = [...(FILES[unit] ?? []), `/etc/systemd/system/${unit}`];
  const target = targetOf(words);
  const found = target.length > 0 ? files.find((path) => target.includes(path)) : undefined;
  if (found !== undefined) return `writes over ${found} of`;
  const taken = takenBy(words);
  if (taken === undefined) return undefined;
  const above = taken.paths.map((path) => path.replace(/\/+(?:\*|\.)?$/, "")).filter(Boolean);
  // Files of meshctl's are root's anyway, and data is its service's. HAProxy reads its own as root.
  const isRootsAnyway = taken.isRoots === true || (taken.isClosed === true && unit === "haproxy.service");
  const own = isRootsAnyway ? [] : files.slice(0, taken.isClosed ? -1 : undefined);
  const isKept = DATA[unit]?.startsWith("/opt/") ? taken.isRoots : taken.isClosed;
  const data = isKept ? undefined : DATA[unit];
  const all = data === undefined ? own : [...own, data];
  const lost = all.find((path) => above.some((each) => path === each || path.startsWith(`${each}/`)));
  return lost && `${taken.does} ${lost} of`;
}

/** Whom data and files of services belong to. */
const OWN = /^(?:zookeeper|haproxy|mysql|meshctl\w*|synapse|nerve|\d+|-.*)?$/;
/** Of nobody knows whom. */
const isVariable = (word: string) => word.includes("$");

/** Paths that a command takes away with all that is below, and how. */
function takenBy(words: readonly string[]):
  | {
      readonly does: string;
      readonly paths: readonly string[];
      readonly isRoots?: boolean;
      /** Whether others than its owner are kept from it. */
      readonly isClosed?: boolean;
    }
  | undefined {
  const at = words.findIndex((word) =>
    /^(?:\S*\/)?(?:rm|mv|chown|chgrp|chmod|chattr|mount|find)$/.test(word),
  );
  if (at < 0) return undefined;
  const rest = words.slice(at + 1);
  const paths = rest.filter((word) => word.startsWith("/"));
  const isRecursive = rest.some((word) => /^-(?:-recursive$|[a-zA-Z]*[rR])/.test(word));
  const below = isRecursive || paths.some((path) => path.endsWith("/*")) ? paths : [];
  const [first = ""] = rest.filter((word) => !word.startsWith("-"));
  switch (basename(words[at]!)) {
    case "rm":
      return { does: "writes over", paths: below };
    case "mv":
      return { does: "writes over", paths: paths.slice(0, -1) };
    case "chown":
    case "chgrp": {
      const [owner = ""] = first.split(/[:.]/);
      if (OWN.test(owner) || isVariable(owner)) return undefined;
      return { does: "gives another user", paths: below, isRoots: owner === "root" };
    }
    case "chmod":
      return /^[0-7]?[0-7]{2}[0123]$|(?:^|,)g?o(?:=$|=[wx]|-[wx]*r)|(?:^|,)go-x/.test(first)
        ? { does: "closes to its user", paths, isClosed: true }
        : undefined;
    case "chattr":
      return rest.some((word) => /^\+\w*[ia]/.test(word))
        ? { does: "makes read-only", paths: below }
        : undefined;
    case "mount": {
      // By itself it mounts what fstab has.
      if (rest.some((word) => /\bremount\b/.test(word))) return undefined;
      const isAnew = paths.length > 1 || rest.some((word) => /^(?:-t|--types|--bind|-B)/.test(word));
      return isAnew ? { does: "mounts something over", paths: paths.slice(-1) } : undefined;
    }
    default: {
      const isDeleting = rest.includes("-delete") || rest.some((word) => /^(?:\S*\/)?rm$/.test(word));
      const isSome = rest.some((word) =>
        /^-(?:i?name|i?path|i?regex|wholename|empty|xtype|nouser|nogroup)$/.test(word),
      );
      const from = rest.findIndex((word) => /^[-(!]/.test(word));
      return isDeleting && !isSome
        ? { does: "deletes in", paths: rest.slice(0, Math.max(from, 0)) }
        : undefined;
    }
  }
}

/** Paths that a command writes to, or takes away. */
function targetOf(words: readonly string[]): readonly string[] {
  const redirected = words.flatMap((word, index) => {
    const [, target] = /^\d?>>?(.*)$/.exec(word) ?? [];
    return target === undefined ? [] : [target === "" ? (words[index + 1] ?? "") : target];
  });
  const at = words.findIndex((word) => WRITER.test(word));
  if (at < 0) return redirected;
  const tool = basename(words[at]!);
  const given = words.slice(at + 1);
  const end = given.findIndex((word) => /^\d?[<>]/.test(word));
  const rest = end < 0 ? given : given.slice(0, end);
  return [...redirected, ...writtenBy(tool, rest)];
}

function writtenBy(tool: string, rest: readonly string[]): readonly string[] {
  const paths = rest.filter((word) => !word.startsWith("-"));
  const behind = (option: RegExp) =>
    rest.flatMap((word, index) => (option.test(word) ? [rest[index + 1] ?? ""] : []));
  switch (tool) {
    case "cp":
    case "mv":
    case "install":
    case "ln":
    case "rsync":
    case "scp": {
      const into = behind(/^(?:-t|--target-directory)$/);
      const last = into[0] ?? paths.at(-1) ?? "";
      const sources = paths.filter((path) => path !== last);
      const inDirectory = sources.map((path) => `${last.replace(/\/+$/, "")}/${basename(path)}`);
      return [last, ...inDirectory, ...(tool === "mv" ? sources : [])];
    }
    case "sed":
    case "perl":
      return rest.some((word) => /^(?:-[a-zA-Z]*i|--in-place)/.test(word)) ? paths : [];
    case "curl":
      return behind(/^-\w*o$|^--output$/);
    case "wget":
      return behind(/^-\w*O$|^--output-document$/);
    case "dd":
      return paths.flatMap((word) => (word.startsWith("of=") ? [word.slice("of=".length)] : []));
    default:
      return paths;
  }
}
