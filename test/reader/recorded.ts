import { ENDING_LINES, ENDING_WORDS } from "../../src/daemon/endings.ts";
import type { Question } from "../../src/reader/protocol.ts";
import { keyOf, type Recording } from "../../src/reader/recording.ts";
import { absent, value } from "./told-host.ts";

// Questions and answers as recordings of whole looks have them.

/** What every look at a unit asks of it, in that order. */
export const UNIT_PROPERTIES = (
  "Id LoadState ActiveState SubState UnitFileState MainPID NRestarts Result StatusText FragmentPath DropInPaths " +
  "NeedDaemonReload InvocationID ExecStart Environment EnvironmentFiles User RootDirectory ExecStartPre ExecReload Slice " +
  "MemoryMax MemoryHigh IOReadBandwidthMax IOWriteBandwidthMax CPUQuotaPerSecUSec TasksMax TasksCurrent WantedBy RequiredBy ConflictedBy After Before"
).split(" ");

export const late = { is: "unreadable", because: "it took more than 7 s" } as const;

export const key = (...question: Question) => keyOf(question);

/** Fields of a regular file of root's, but for its content. */
export const regular = (path: string, text: string, mode = "0644", digest = "") =>
  ["regular", mode, "root:root", text.length, digest, path, 1] as const;

/** The question for a file whose content nobody knows before. */
export const content = (path: string, how = "content") => key("file", path, how, "", "");

/** … and its answer. */
export const file = (path: string, text: string) => value(...regular(path, text), text);

/** Rows of "haproxy.stat" that tell the worker's `show info`. */
export const infoRows = (info: Readonly<Record<string, string>>) =>
  Object.entries(info).flatMap(([name, told]) => ["info", name, told, "", "", "", "", "", "", ""]);

/** What dpkg has done last and not taken into its list. */
export const DPKG_UPDATES = key("list", "/var/lib/dpkg/updates", "^[0-9]+$");

/** What every look at a unit asks beside it, of units that the next boot starts and that nobody has changed. */
export function besideUnits(...names: readonly string[]): Recording {
  const limits = [
    "LoadState",
    "ActiveState",
    "MemoryMax",
    "MemoryHigh",
    "IOReadBandwidthMax",
    "IOWriteBandwidthMax",
    "CPUQuotaPerSecUSec",
    "TasksMax",
    "TasksCurrent",
    "IPAddressDeny",
    "IPAddressAllow",
  ] as const;
  const slice = value("LoadState", "loaded", "MemoryMax", "infinity");
  const directories = names.flatMap((name) => {
    const [, stem = "", type = ""] = /^(.*)\.(\w+)$/.exec(name) ?? [];
    const parts = stem.split("-");
    const prefixes = parts.slice(1).map((_, index) => `${parts.slice(0, index + 1).join("-")}-.${type}.d`);
    return [`${name}.d`, ...prefixes, `${type}.d`];
  });
  return {
    [key("boot")]: value(
      ...["multi-user.target", "", "", "", ""],
      ...["multi-user.target", ...names].flatMap((name) => [name, "multi-user.target", "running", "", ""]),
    ),
    [key("boot.lines", ENDING_LINES, ENDING_WORDS)]: value(),
    [key("manager")]: value("systemctl show-environment", "Environment", "LANG PATH"),
    [key("unit", "system.slice", ...limits)]: slice,
    [key("unit", "-.slice", ...limits)]: slice,
    ...Object.fromEntries(
      directories.map((directory) => [
        key("list", `/etc/systemd/system/${directory}`, "^[^.].*\\.conf$"),
        absent,
      ]),
    ),
    ...Object.fromEntries(
      names.flatMap((name) =>
        ["/etc", "/usr/lib", "/lib"].map((directory) => [
          key("file", `${directory}/systemd/system/${name}`, "settings"),
          absent,
        ]),
      ),
    ),
  };
}
