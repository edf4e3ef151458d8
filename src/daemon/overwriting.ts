import { basename } from "node:path/posix";
import { fits, fitsPath } from "./shell-pattern.ts";

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
/** Files of that data by their names, which change: a pattern that takes one takes others. */
const IN_DATA: Readonly<Record<string, readonly string[]>> = {
  "zookeeper.service": [
    ..."log.100000001 snapshot.100000001 currentEpoch acceptedEpoch"
      .split(" ")
      .map((name) => `/var/lib/zookeeper/data/version-2/${name}`),
    "/var/lib/zookeeper/data/myid",
  ],
  "mariadb.service": "ibdata1 ib_logfile0 aria_log_control"
    .split(" ")
    .map((name) => `/var/lib/mysql/${name}`),
  "mysql.service": "ibdata1 mysql.ibd undo_001".split(" ").map((name) => `/var/lib/mysql/${name}`),
};
const DIRECTORIES =
  "/(?:etc/(?:haproxy|zookeeper|mysql|meshctl)|var/lib/(?:zookeeper|mysql)|opt/meshctl)(?![\\w-])";
/** Programs that write a file, or take it away. */
const WRITERS = "cp|mv|install|ln|rsync|scp|tee|sed|perl|rm|unlink|shred|truncate|curl|wget|dd";
const WRITER = new RegExp(`^(?:\\S*/)?(?:${WRITERS})$`);
/** Programs that take a file from a service in another way. */
const TAKERS = "chown|chgrp|chmod|chattr|mount|find|gzip|bzip2|xz|zstd";
/** Programs after which a file is gone from where it was, or empty. */
const REMOVES = /^(?:\S*\/)?(?:rm|unlink|shred|truncate|mv|gzip|bzip2|xz|zstd)$/;
/** Those that compress, and the options by which the file stays. */
const COMPRESSES = /(?:^|\/)(?:gzip|bzip2|xz)$/;
const KEEPS = /^(?:-[a-zA-Z\d]*[kctl][a-zA-Z\d]*|--(?:keep|stdout|to-stdout|test|list))$/;

/** Where among the words a program stands that takes files away; -1 where none does. */
function removerIn(words: readonly string[]): number {
  return words.findIndex((word, at) => {
    if (!REMOVES.test(word)) return false;
    const options = words.slice(at + 1).filter((each) => each.startsWith("-"));
    if (/(?:^|\/)zstd$/.test(word)) return options.includes("--rm");
    return !(COMPRESSES.test(word) && options.some((each) => KEEPS.test(each)));
  });
}

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

export interface Overwritten {
  /** "writes over FILE of". */
  readonly does: string;
  /** A file that is closed to others, and whether its group may still read it. */
  readonly closes?: { readonly path: string; readonly isLeftToGroup: boolean };
}

/** What a command does to a file or to data of a unit; undefined where it does nothing. */
export function overwrittenBy(words: readonly string[], unit: string): Overwritten | undefined {
  const files = [...(FILES[unit] ?? []), `/etc/systemd/system/${unit}`];
  const target = targetOf(words);
  const found = target.length > 0 ? files.find((path) => target.includes(path)) : undefined;
  if (found !== undefined) return { does: `writes over ${found} of` };
  const data = DATA[unit];
  if (data !== undefined && removes(words, IN_DATA[unit] ?? [])) return { does: `deletes in ${data} of` };
  const searched = foundBy(words, [...files, ...(data === undefined ? [] : [data])]);
  if (searched !== undefined) return { does: `deletes in ${searched} of` };
  const taken = takenBy(words);
  if (taken === undefined) return undefined;
  const above = taken.paths.map((path) => path.replace(/\/+(?:\*|\.)?$/, "")).filter(Boolean);
  // Files of meshctl's are root's anyway, and data is its service's. HAProxy reads its own as root.
  const isRootsAnyway = taken.isRoots === true || (taken.closed !== undefined && unit === "haproxy.service");
  const own = isRootsAnyway ? [] : files.slice(0, taken.closed === undefined ? undefined : -1);
  const isKept = data?.startsWith("/opt/") ? taken.isRoots : taken.closed !== undefined;
  const all = data === undefined || isKept === true ? own : [...own, data];
  const lost = all.find((path) => above.some((each) => path === each || path.startsWith(`${each}/`)));
  if (lost === undefined) return undefined;
  const closes = taken.closed === undefined ? {} : { closes: { path: lost, ...taken.closed } };
  return { does: `${taken.does} ${lost} of`, ...closes };
}

/** Whether a command takes one of these away by a pattern of their names. */
function removes(words: readonly string[], files: readonly string[]): boolean {
  const at = removerIn(words);
  if (at < 0 || foundBy(words, files) !== undefined) return foundBy(words, files) !== undefined;
  const paths = words.slice(at + 1).filter((word) => word.startsWith("/"));
  const sources = basename(words[at]!) === "mv" ? paths.slice(0, -1) : paths;
  return sources.some((each) => files.some((path) => fitsPath(each, path)));
}

/** The first of these that find selects and takes away: by the tests that are known here. */
function foundBy(words: readonly string[], files: readonly string[]): string | undefined {
  const at = words.findIndex((word) => /^(?:\S*\/)?find$/.test(word));
  const rest = words.slice(at + 1);
  if (at < 0 || !(rest.includes("-delete") || removerIn(rest) >= 0)) return undefined;
  // Files that are neither empty nor links, and have an owner.
  if (
    rest.some(
      (word, index) =>
        /^-(?:empty|xtype|nouser|nogroup|i?regex)$/.test(word) ||
        (word === "-type" && rest[index + 1] !== "f"),
    )
  )
    return undefined;
  const roots = rest.slice(
    0,
    Math.max(
      0,
      rest.findIndex((word) => /^[-(!]/.test(word)),
    ),
  );
  const depth = Number(rest[rest.indexOf("-maxdepth") + 1]);
  const isDeep = rest.includes("-maxdepth")
    ? (below: string) => below.split("/").length - 1 <= depth
    : () => true;
  const tests = rest.flatMap((word, index) => {
    const [, kind] = /^-i?(name|path|wholename)$/.exec(word) ?? [];
    if (kind === undefined) return [];
    const pattern = rest[index + 1] ?? "";
    const isNot = /^(?:!|-not)$/.test(rest[index - 1] ?? "");
    return [(path: string) => fits(pattern, kind === "name" ? basename(path) : path) !== isNot];
  });
  const isSelected = (path: string) =>
    tests.length === 0 ||
    (rest.includes("-o") ? tests.some((test) => test(path)) : tests.every((test) => test(path)));
  return files.find((path) =>
    roots.some((root) => {
      const top = root.replace(/(?<=.)\/+$/, "");
      const parts = path.split("/");
      const length = top.split("/").length;
      return (
        top.startsWith("/") &&
        fitsPath(top, parts.slice(0, length).join("/")) &&
        isDeep(path.slice(parts.slice(0, length).join("/").length)) &&
        isSelected(path)
      );
    }),
  );
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
      /** Where others than its owner are kept from it: whether its group is not. */
      readonly closed?: { readonly isLeftToGroup: boolean };
    }
  | undefined {
  const at = words.findIndex((word) => /^(?:\S*\/)?(?:rm|mv|chown|chgrp|chmod|chattr|mount)$/.test(word));
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
        ? {
            does: "closes to its user",
            paths,
            closed: { isLeftToGroup: /^[0-7]?[0-7][4-7][0-7]$|^o[-=]/.test(first) },
          }
        : undefined;
    case "chattr":
      return rest.some((word) => /^\+\w*[ia]/.test(word))
        ? { does: "makes read-only", paths: below }
        : undefined;
    default: {
      // By itself mount mounts what fstab has.
      if (rest.some((word) => /\bremount\b/.test(word))) return undefined;
      const isAnew = paths.length > 1 || rest.some((word) => /^(?:-t|--types|--bind|-B)/.test(word));
      return isAnew ? { does: "mounts something over", paths: paths.slice(-1) } : undefined;
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
