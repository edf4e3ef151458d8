import { shellWord } from "../command-line.ts";
import type { Answer } from "../reader/answer.ts";
import type {
  CleaningLine,
  FstabLine,
  Place,
  PlaceMount,
  TmpfilesLine,
  UnitProperties,
} from "../reader/reader.ts";
import { quotable } from "../terminal-text.ts";
import type { BootPlan } from "./boot.ts";

/** A path that a service needs, as a place that must be the same after a reboot. */
export interface PlaceNeed {
  readonly path: string;
  /** Whether what is in it must last: what is in memory does not. */
  readonly isData: boolean;
}

/** What else makes mounts at boot. */
export interface Surroundings {
  /** Paths of which systemd makes the mounts before it starts the unit. */
  readonly requiresMountsFor: readonly string[];
  /** Mount unit → its properties, of mounts that fstab does not tell. */
  readonly mountUnits: ReadonlyMap<string, Answer<UnitProperties>>;
}

/** What is wrong with a place. `undefined` nothing. */
export type PlaceFault =
  | { readonly is: "fault"; readonly value: string; readonly because: string }
  | { readonly is: "warning"; readonly because: string }
  | { readonly is: "unread"; readonly because: string };

/** Where meshctl keeps which files are its own. */
export const RECORDS = "/var/lib/meshctl";

const IN_MEMORY = new Set(["tmpfs", "ramfs", "devtmpfs"]);
/** The kernel's and systemd's own: they come at every boot. */
const OF_SYSTEMD = /^\/(?:proc|sys|dev|run)(?:\/|$)|^\/tmp$/;

/** Mounts that a path is really on, the root's first. Others at or above it are hidden. */
export function mountsOf({ mounts }: Pick<Place, "mounts">): readonly PlaceMount[] {
  const ids = new Set(mounts.map(({ id }) => id));
  let current = mounts.find(({ point, parent }) => point === "/" && !ids.has(parent)) ?? mounts[0];
  const chain: PlaceMount[] = [];
  while (current !== undefined) {
    chain.push(current);
    const on: PlaceMount = current;
    // The first that is met on the way down; of several at one point the last.
    const next = mounts
      .filter(({ parent, id }) => parent === on.id && id !== on.id)
      .toSorted((a, b) => a.point.length - b.point.length);
    current = next.findLast(({ point }) => point === next[0]!.point);
  }
  return chain;
}

/** Mount units to ask about: those of mounts that no line of fstab makes. */
export function unitsToAsk(place: Place): readonly string[] {
  return mountsOf(place)
    .slice(1)
    .filter((mount) => !comesByItself(mount) && lineOf(place, mount) === undefined)
    .map(({ point }) => mountUnit(point));
}

/** As systemd-escape --path names it. */
export function mountUnit(point: string): string {
  const escaped = (text: string) =>
    [...Buffer.from(text)]
      .map((byte, index) => {
        const letter = String.fromCharCode(byte);
        return /[A-Za-z0-9:_.]/.test(letter) && (index > 0 || letter !== ".")
          ? letter
          : `\\x${byte.toString(16).padStart(2, "0")}`;
      })
      .join("");
  const parts = point.split("/").filter(Boolean);
  return `${parts.map((part, index) => (index === 0 ? escaped(part) : escaped(`_${part}`).slice(1))).join("-")}.mount`;
}

/** Whether a path is the same place after a reboot, as far as mounts decide it. */
export function faultOfPlace(
  { path, isData }: PlaceNeed,
  place: Place,
  { requiresMountsFor, mountUnits }: Surroundings,
): PlaceFault | undefined {
  const chain = mountsOf(place);
  const last = chain.at(-1);
  if (isData && last !== undefined && chain.length > 1 && isInMemory(last))
    return {
      is: "fault",
      value: `in memory (${last.fileSystem} ${last.point})`,
      because: `${path} is in memory (${last.fileSystem} at ${last.point}) and empty after a reboot: move what is in it to a disk`,
    };
  const waits = (point: string) => requiresMountsFor.some((each) => isBelow(each, point));
  let warning: PlaceFault | undefined;
  for (const [index, mount] of chain.entries()) {
    if (comesByItself(mount) || isSamePlace(mount, chain[index - 1])) continue;
    const line = lineOf(place, mount);
    if (line !== undefined) {
      const isAutomount = line.options.some((option) => option.startsWith("x-systemd.automount"));
      if (line.options.includes("noauto") && !isAutomount && !waits(mount.point))
        return unmade(path, mount, `fstab has it as noauto: take that out of its line of /etc/fstab`);
      if (line.options.includes("nofail") && !isAutomount && !waits(mount.point))
        warning ??= {
          is: "warning",
          because: `${mount.point} is nofail in /etc/fstab: the service may start without it, in the directory beneath`,
        };
      continue;
    }
    const name = mountUnit(mount.point);
    const unit = mountUnits.get(name);
    if (unit?.is === "unreadable") return { is: "unread", because: `${name}: ${unit.because}` };
    const isAlone = place.mounts.filter(({ point }) => point === mount.point).length === 1;
    const known = unit?.is === "value" ? unit.value : undefined;
    if (isAlone && known !== undefined && isFile(known)) {
      if ([...words(known, "WantedBy"), ...words(known, "RequiredBy")].length > 0 || waits(mount.point))
        continue;
      return unmade(path, mount, `nothing starts ${name} at boot: systemctl enable ${shellWord(name)}`);
    }
    return unmade(path, mount, addToFstab(place, mount));
  }
  return hiddenAtBoot(path, place, chain) ?? warning;
}

function unmade(path: string, mount: PlaceMount, advice: string): PlaceFault {
  const what = path === mount.point ? path : `${mount.point}, which ${path} is on,`;
  return {
    is: "fault",
    value: "on a mount that nothing makes at boot",
    because: `${what} is a mount (${mount.source}${mount.root === "/" ? "" : ` ${mount.root}`}, ${mount.fileSystem}) that nothing makes at boot: ${advice}`,
  };
}

/** A line for what is not mounted now: it would lie over what is there. */
function hiddenAtBoot(path: string, place: Place, chain: readonly PlaceMount[]): PlaceFault | undefined {
  for (const [index, line] of place.fstab.entries()) {
    if (line.point === "/" || line.options.includes("noauto") || line.type === "swap") continue;
    if (chain.some(({ point, isLine }) => point === line.point && isLine[index] !== false)) continue;
    const what = `/etc/fstab mounts ${line.spec} on ${line.point} at boot, and ${path} is not on it now`;
    if (
      line.options.includes("nofail") ||
      line.options.some((option) => option.startsWith("x-systemd.automount"))
    )
      return { is: "warning", because: `${what}: mount ${line.point}, or take the line out` };
    return {
      is: "fault",
      value: "another place after a reboot",
      because: `${what}: its present files would be hidden. Stop the service, move its files to the disk and mount it, or take the line out`,
    };
  }
  return undefined;
}

/** A mount unit of the next boot that is not mounted now. What fstab has is judged by its line. */
export function hiddenByUnit(path: string, place: Place, boot: BootPlan): PlaceFault | undefined {
  const mounted = new Set(mountsOf(place).map(({ point }) => point));
  for (const of of new Set([path, place.realPath])) {
    const points = of
      .split("/")
      .flatMap((_, at, parts) => (at === 0 ? [] : [parts.slice(0, at + 1).join("/")]));
    for (const point of points.filter((each) => !mounted.has(each))) {
      if (place.fstab.some((line) => line.point === point)) continue;
      const name = [mountUnit(point), mountUnit(point).replace(/mount$/, "automount")].find((each) =>
        boot.units.has(each),
      );
      if (name === undefined) continue;
      return {
        is: "fault",
        value: "another place after a reboot",
        because: `${name} mounts something on ${point} at boot, and ${path} is not on it now: what is there now would be hidden. Stop the service, move its files there and start the mount, or systemctl disable ${shellWord(name)}`,
      };
    }
  }
  return undefined;
}

/** Of the initrd, of the file system itself or of an automounter. */
function comesByItself({ point, fileSystem }: PlaceMount): boolean {
  return (
    fileSystem === "autofs" ||
    fileSystem === "zfs" ||
    OF_SYSTEMD.test(point) ||
    point === "/" ||
    point === "/usr"
  );
}

/** Whether a directory is bound on itself, as for other options: beneath is the same. */
function isSamePlace(mount: PlaceMount, on: PlaceMount | undefined): boolean {
  if (on === undefined || mount.source !== on.source || mount.fileSystem !== on.fileSystem) return false;
  const below = on.point === "/" ? mount.point : mount.point.slice(on.point.length);
  return mount.root === (`${on.root === "/" ? "" : on.root}${below}` || "/");
}

function isInMemory({ fileSystem, options }: PlaceMount): boolean {
  const upper = options.find((option) => option.startsWith("upperdir="))?.slice("upperdir=".length);
  return IN_MEMORY.has(fileSystem) || (upper !== undefined && /^\/(?:run|dev\/shm|tmp)(?:\/|$)/.test(upper));
}

/** The line of fstab that makes this mount. One that may do so does, unless more is mounted there than fstab has lines. */
function lineOf({ fstab, mounts }: Place, mount: PlaceMount): FstabLine | undefined {
  const same = fstab.find((_, index) => mount.isLine[index] === true);
  if (same !== undefined) return same;
  const maybe = fstab.find(({ point }, index) => point === mount.point && mount.isLine[index] === undefined);
  const here = mounts.filter(({ point, fileSystem }) => point === mount.point && fileSystem !== "autofs");
  return maybe !== undefined && here[0] === mount ? maybe : undefined;
}

/** Whether a unit comes from a file, or from a generator that goes by another thing than fstab, which was read anew. */
function isFile(unit: UnitProperties): boolean {
  const fragment = unit.get("FragmentPath")?.at(-1) ?? "";
  return fragment !== "" && unit.get("SourcePath")?.at(-1) !== "/etc/fstab";
}

function addToFstab({ mounts }: Place, mount: PlaceMount): string {
  // What is bound begins somewhere in a file system that is mounted above.
  const isBound = mount.root !== "/" && !mount.options.some((option) => option.startsWith("subvol"));
  const from = mounts.find(({ point, source }) => point === "/" && source === mount.source);
  const line = isBound
    ? `${from === undefined ? "DIRECTORY" : mount.root} ${mount.point} none bind 0 0`
    : `${mount.source} ${mount.point} ${mount.fileSystem} defaults 0 2`;
  return `echo ${shellWord(line)} >>/etc/fstab && systemctl daemon-reload, or stop the service, move what is in it to where it is to stay, and umount ${shellWord(mount.point)}`;
}

export function isBelow(path: string, directory: string): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory.replace(/\/$/, "")}/`);
}

function words(unit: UnitProperties, property: string): readonly string[] {
  return (unit.get(property) ?? []).flatMap((text) => text.split(" ")).filter(Boolean);
}

/** What systemd-tmpfiles does to a place that is to stay as it is; undefined when it does nothing. */
export function faultOfCleaning(path: string, lines: readonly CleaningLine[]): PlaceFault | undefined {
  // Mode and owner may be those that it has.
  const [first] = lines.toSorted((a, b) => Number(isMode(a)) - Number(isMode(b)));
  if (first === undefined) return undefined;
  const said = `${first.file}:${first.line} "${quotable(first.text)}"`;
  if (isMode(first))
    return { is: "warning", because: `${said} sets mode and owner of what is at ${path} at boot` };
  return {
    is: "fault",
    value: "systemd-tmpfiles deletes or alters it",
    because: `${said} has systemd-tmpfiles delete or alter what is at ${path}: take the line out there`,
  };
}

function isMode({ text }: CleaningLine): boolean {
  return /^\s*[zZ]/.test(text);
}

/** Types of lines that make a directory. */
const MAKES = /^[dDvqQC]/;

/** Why a directory below /run is not there after a reboot; undefined when the unit or tmpfiles.d makes it. */
export function faultOfMade(
  path: string,
  lines: readonly TmpfilesLine[],
  unit: UnitProperties,
  tmpfiles: UnitProperties | undefined,
): PlaceFault | undefined {
  const own = words(unit, "RuntimeDirectory").map((name) => `/run/${name.split(":", 1)[0]}`);
  if (own.some((each) => isBelow(each, path))) return undefined;
  const commands = (unit.get("ExecStartPre") ?? []).join("\n");
  if (
    commands.includes(path) ||
    commands.includes(path.replace(/^\/run\//, "/var/run/")) ||
    commands.includes("mysql-systemd-start")
  )
    return undefined;
  const makes = lines.filter(({ type }) => MAKES.test(type));
  const isOff = tmpfiles?.get("LoadState")?.at(-1) === "masked";
  if (makes.some(({ instead }) => instead === "") && !isOff) {
    const dropIn =
      tmpfiles && words(tmpfiles, "DropInPaths").find((file) => /^\/(?:etc|usr\/local)\//.test(file));
    return dropIn === undefined
      ? undefined
      : {
          is: "warning",
          because: `${dropIn} alters systemd-tmpfiles-setup.service, which makes ${path} at boot: see that it still runs`,
        };
  }
  const hidden = makes.find(({ instead }) => instead !== "");
  const why = isOff
    ? "systemd-tmpfiles-setup.service is masked: systemctl unmask systemd-tmpfiles-setup.service"
    : hidden === undefined
      ? `no line of tmpfiles.d is about it: echo 'd ${path} 0755 root root -' >/etc/tmpfiles.d/${path.slice(5).replaceAll("/", "-")}-at-boot.conf, with the owner that it has now`
      : `${hidden.instead} stands in for ${hidden.file}, which makes it: rm ${shellWord(hidden.instead)}`;
  return {
    is: "fault",
    value: "nothing makes it at boot",
    because: `nothing makes ${path} at boot: ${why}`,
  };
}
