import { shellWord } from "../command-line.ts";
import { onceEach } from "../once-each.ts";
import type { PathAccess, UnitProperties } from "../reader/reader.ts";
import { isBelow } from "./place.ts";

/** What a service does with a path at its next start. */
export interface Need {
  /** "DIRECTORY/*" is each file in it. */
  readonly path: string;
  /** "enter" lists a directory, "pass" goes through one, "write" makes files in one or writes one, "replace" renames another file over one, "load" maps a file as program text. */
  readonly to: "read" | "enter" | "pass" | "write" | "replace" | "execute" | "load";
  /** What need not be there. Of others, too, that they are absent is told elsewhere, unless it `mustBeThere`. */
  readonly mustBeThere?: boolean;
  /** Another path that is asked for: where that is there, this is not needed. */
  readonly unlessThere?: string;
  /** The directory, with all in it, that is to be the user's own. */
  readonly own?: string;
}

/** How a unit sees paths otherwise than the host. */
interface Rule {
  readonly prefix: string;
  readonly is: "writable" | "read-only" | "hidden" | "no programs" | "programs" | "unknown";
  /** The setting that makes it so. */
  readonly by: string;
}

/** As systemd resolves them: of several rules for one thing the one for the longest path counts. */
export const rulesOf = onceEach((unit: UnitProperties): readonly Rule[] => {
  const value = (property: string) => unit.get(property)?.at(-1) ?? "";
  const paths = (property: string) =>
    (unit.get(property) ?? [])
      .flatMap((text) => text.split(" "))
      .map((path) => path.replace(/^[-+]+/, "").replace(/(?<=.)\/$/, ""))
      .filter((path) => path.startsWith("/"));
  const rules = (property: string, is: Rule["is"], from = paths(property)) =>
    from.map((prefix): Rule => ({ prefix, is, by: `${property}=` }));
  const system = value("ProtectSystem");
  const home = value("ProtectHome");
  const bySystem = { prefix: "", is: "read-only", by: `ProtectSystem=${system}` } as const;
  const homes = ["/home", "/root", "/run/user"];
  const homeIs = home === "read-only" ? "read-only" : "hidden";
  const directories = (property: string, at: string) =>
    (unit.get(property) ?? [])
      .flatMap((text) => text.split(" "))
      .filter(Boolean)
      .map(
        (name): Rule => ({ prefix: `${at}/${name.split(":", 1)[0]}`, is: "writable", by: `${property}=` }),
      );
  // "SOURCE:DESTINATION": what is there is not what the host has.
  const bound = (property: string) =>
    (unit.get(property) ?? [])
      .flatMap((text) => text.split(" "))
      .map((pair) => pair.replace(/^-/, "").split(":"))
      .filter(([from, to]) => to !== undefined && from !== to)
      .map(([, to]): Rule => ({ prefix: to!, is: "unknown", by: `${property}=` }));
  const isSet = (property: string) => !["", "no", "/"].includes(value(property));
  return [
    ...(["yes", "full", "strict"].includes(system)
      ? ["/usr", "/boot", "/efi"].map((prefix) => ({ ...bySystem, prefix }))
      : []),
    ...(["full", "strict"].includes(system) ? [{ ...bySystem, prefix: "/etc" }] : []),
    ...(system === "strict" ? [{ ...bySystem, prefix: "/" }, ...writable(["/dev", "/proc", "/sys"])] : []),
    ...(isSet("ProtectHome")
      ? homes.map((prefix): Rule => ({ prefix, is: homeIs, by: `ProtectHome=${home}` }))
      : []),
    ...directories("StateDirectory", "/var/lib"),
    ...directories("CacheDirectory", "/var/cache"),
    ...directories("LogsDirectory", "/var/log"),
    ...directories("RuntimeDirectory", "/run"),
    ...(isSet("PrivateTmp") ? writable(["/tmp", "/var/tmp"]) : []),
    ...rules("ReadWritePaths", "writable"),
    ...rules("ReadOnlyPaths", "read-only"),
    ...rules("InaccessiblePaths", "hidden"),
    ...rules("NoExecPaths", "no programs"),
    ...rules("ExecPaths", "programs"),
    ...rules(
      "TemporaryFileSystem",
      "hidden",
      paths("TemporaryFileSystem").map((path) => path.split(":", 1)[0]!),
    ),
    ...bound("BindPaths"),
    ...bound("BindReadOnlyPaths"),
    ...["RootDirectory", "RootImage", "DynamicUser"]
      .filter(isSet)
      .map((property): Rule => ({ prefix: "/", is: "unknown", by: `${property}=${value(property)}` })),
  ];
});

function writable(prefixes: readonly string[]): readonly Rule[] {
  return prefixes.map((prefix) => ({ prefix, is: "writable", by: "" }));
}

/** The rule that decides about a path, among those that say one of two things. Of equal ones the stricter. */
function ruling(
  rules: readonly Rule[],
  path: string,
  strict: Rule["is"],
  loose?: Rule["is"],
): Rule | undefined {
  let found: Rule | undefined;
  for (const rule of rules) {
    if ((rule.is !== strict && rule.is !== loose) || !isBelow(path, rule.prefix)) continue;
    const isLonger = found === undefined || rule.prefix.length > found.prefix.length;
    if (isLonger || (rule.prefix === found!.prefix && rule.is === strict)) found = rule;
  }
  return found?.is === strict ? found : undefined;
}

/** Why a service cannot do what it needs at its next start. */
export interface Refusal {
  /** The path and how it is: "/etc/meshctl 0700 root:root". */
  readonly value: string;
  readonly path: string;
  readonly because: string;
  /** Whether it is a directory that may not be entered. */
  readonly isClosed: boolean;
  /** Whether the unit's ProtectSystem= is what refuses it: an entry of ReadWritePaths= would open it. */
  readonly isBySystem?: boolean;
}

interface Asked {
  readonly unit: string;
  readonly user: string;
  readonly group: string;
  readonly rules: readonly Rule[];
  /** Whether the file system of a path may hold programs. */
  readonly isNoexec: (path: string) => string | undefined;
}

const LETTERS = {
  read: "r",
  enter: "rx",
  pass: "x",
  write: "w",
  replace: "w",
  execute: "x",
  load: "r",
} as const;
const VERBS = { r: "read", w: "write", x: "execute" } as const;

/** What stands in the way of a need; undefined when nothing does. `unread` when that cannot be told. */
export function refusalOf(
  need: Need,
  access: PathAccess,
  asked: Asked,
): Refusal | { readonly unread: string } | undefined {
  const { unit, user, rules } = asked;
  const { path, kind, mode, owner } = access;
  const value = `${path}${mode === "" ? "" : ` ${mode} ${owner}`}`;
  const refuse = (what: string, advice: string) => ({
    value,
    path,
    because: `${what}: ${advice}`,
    isClosed: access.state === "closed" || (kind === "directory" && !access.may.includes("x")),
  });
  const places = [...new Set([need.path.replace(/\/\*$/, ""), path])];
  for (const place of places) {
    const unknown = ruling(rules, place, "unknown");
    if (unknown !== undefined)
      return {
        unread: `${unit} has ${unknown.by}, and what ${user} finds at ${place} then cannot be told from outside`,
      };
    const hidden = ruling(rules, place, "hidden", "writable");
    if (hidden !== undefined)
      return refuse(
        `${hidden.by} of ${unit} hides ${place} from it`,
        `systemctl edit ${unit}, and take it out or keep this elsewhere`,
      );
  }
  const own = need.own !== undefined && isBelow(path, need.own) ? need.own : undefined;
  const mine = `${user}:${asked.group || user}`;
  if (access.state === "closed") {
    return refuse(
      `${user} may not enter ${path} (${owner} ${mode})`,
      own !== undefined ? `chown -R -h ${mine} ${shellWord(own)}` : `chmod a+x ${shellWord(path)}`,
    );
  }
  if (access.state === "absent")
    return need.mustBeThere ? refuse(`${path} is not there`, `${unit} needs it to start`) : undefined;
  const wanted = need.to === "write" && kind === "directory" ? "wx" : LETTERS[need.to];
  const letter = [...wanted].find((each) => !access.may.includes(each)) as keyof typeof VERBS | undefined;
  if (letter === undefined) {
    if (need.to === "write") {
      const readOnly = ruling(rules, path, "read-only", "writable");
      if (readOnly !== undefined)
        return {
          ...refuse(
            `${readOnly.by} of ${unit} keeps ${path} read-only`,
            `systemctl edit ${unit}, and say ReadWritePaths=${path} in [Service]`,
          ),
          isBySystem: readOnly.by.startsWith("ProtectSystem="),
        };
    }
    if (need.to === "execute" || need.to === "load") {
      const noPrograms = ruling(rules, path, "no programs", "programs");
      if (noPrograms !== undefined)
        return refuse(
          `${noPrograms.by} of ${unit} lets nothing be executed at ${path}`,
          `systemctl edit ${unit}, and say ExecPaths=${path} in [Service]`,
        );
      const noexec = asked.isNoexec(path);
      if (noexec !== undefined) return refuse(...mountedNoexec(path, noexec));
    }
    return undefined;
  }
  const error = access.why.get(letter) ?? "";
  // Whose directory it is may do so, whatever the file's mode.
  if (need.to === "replace" && error === "EACCES") return undefined;
  const verb = letter === "x" && kind === "directory" ? "enter" : VERBS[letter];
  if (error === "EROFS")
    return refuse(
      `${path} is on a file system that is mounted read-only`,
      `look at dmesg for why, then mount -o remount,rw "$(findmnt -no TARGET -T ${shellWord(path)})"`,
    );
  if (error === "EPERM")
    return refuse(`${path} is immutable, not even root may write it`, `chattr -R -i ${shellWord(path)}`);
  if (letter === "x" && kind === "regular" && /[1357]/.test(mode)) {
    const noexec = asked.isNoexec(path);
    if (noexec !== undefined) return refuse(...mountedNoexec(path, noexec));
  }
  const [name, group] = owner.split(":");
  const bits = { r: 4, w: 2, x: 1 }[letter];
  // Where the mode alone would let everybody, or the owner, something else decides.
  const byMode = name === user ? Number(mode[1]) : Number(mode[3]);
  if ((byMode & bits) !== 0 && group !== user)
    return refuse(
      `${user} may not ${verb} ${path} (${owner} ${mode}), by an access list or the mode of its group`,
      `look at getfacl -p ${shellWord(path)}`,
    );
  return refuse(
    `${user} may not ${verb} ${path} (${owner} ${mode})`,
    own !== undefined && name !== user
      ? `chown -R -h ${mine} ${shellWord(own)}`
      : name === user || own !== undefined
        ? `chmod u+${letter} ${shellWord(path)}`
        : `chmod a+${letter} ${shellWord(path)}`,
  );
}

function mountedNoexec(path: string, point: string): [string, string] {
  return [
    `${path} cannot be executed: ${point} is mounted noexec`,
    `mount -o remount,exec ${shellWord(point)}, and take noexec out of its line of /etc/fstab`,
  ];
}
