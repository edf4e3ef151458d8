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
/** Programs that write a file, or take it away. */
const WRITERS = "cp|mv|install|ln|rsync|scp|tee|sed|perl|rm|unlink|shred|truncate|curl|wget|dd";

/** What a line that writes one of these files has: who does, and the file's name behind it. */
export const OVERWRITING = {
  writer: `(?:>|\\b(?:${WRITERS})\\b)`,
  file: `(?:${[...NAMES, "haproxy.service", "zookeeper.service", "meshctl-\\w+.service"]
    .map((name) => name.replaceAll(".", "\\."))
    .join("|")})`,
} as const;

/** The file of a unit that a command writes or takes away; undefined where it does neither. */
export function overwrittenBy(words: readonly string[], unit: string): string | undefined {
  const files = [...(FILES[unit] ?? []), `/etc/systemd/system/${unit}`];
  const target = targetOf(words);
  return files.find((path) => target.includes(path));
}

/** Paths that a command writes to, or takes away. */
function targetOf(words: readonly string[]): readonly string[] {
  const redirected = words.flatMap((word, index) => {
    const [, target] = /^\d?>>?(.*)$/.exec(word) ?? [];
    return target === undefined ? [] : [target === "" ? (words[index + 1] ?? "") : target];
  });
  const at = words.findIndex((word) => new RegExp(`^(?:\\S*/)?(?:${WRITERS})$`).test(word));
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
