import { shellWord } from "../command-line.ts";
import type { Layer, Reading } from "../contract/reading.ts";
import type { Answer } from "../reader/answer.ts";
import type { Space } from "../reader/reader.ts";
import { type Refusal, refusalOf, rulesOf } from "./access.ts";
import type { SurroundingsFacts } from "./look-at-surroundings.ts";
import { packageFaults } from "./package-files.ts";
import {
  faultOfCleaning,
  faultOfMade,
  faultOfPlace,
  hiddenByUnit,
  mountsOf,
  type PlaceFault,
} from "./place.ts";
import type { UnitFact } from "./unit.ts";

const ALL = "all that it needs";
const COMES_BACK = "comes back at boot";

/** Everything that the user is refused, what is only to be known, and why not all could be told. */
export function refusalsOf(
  facts: SurroundingsFacts,
  startedAt?: number,
): {
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly string[];
  readonly unread: string | undefined;
} {
  const { access, needs, unit, user, unitName, places } = facts;
  if (access.is !== "value" || unit.is !== "value")
    return { refusals: [], warnings: [], unread: reason(access.is === "value" ? unit : access) };
  const group = unit.value.get("Group")?.at(-1) ?? "";
  const isNoexec = (path: string) => {
    const place = places.get(path);
    const mount = place?.is === "value" ? mountsOf(place.value).at(-1) : undefined;
    return mount?.options.includes("noexec") ? mount.point : undefined;
  };
  const rules = rulesOf(unit.value);
  const refusals: Refusal[] = [];
  let unread: string | undefined;
  for (const [index, need] of needs.access.entries()) {
    const instead = access.value.find(({ asked }) => asked === need.unlessThere);
    if (instead?.state === "there") continue;
    const place = places.get(need.path);
    if ((need.to === "load" || need.to === "execute") && place?.is === "unreadable") unread ??= place.because;
    const asked = { unit: unitName, user, group, rules, isNoexec: () => isNoexec(need.path) };
    const found = refusalOf(need, access.value[index]!, asked);
    if (found === undefined) continue;
    if ("unread" in found) unread ??= found.unread;
    else refusals.push(found);
  }
  for (const [name, found] of facts.becomes) {
    if (found.is === "unreadable") unread ??= found.because;
    if (found.is === "absent") refusals.push(withoutUser(name, unitName));
  }
  const packages = packageFaults(facts, startedAt);
  unread ??= packages.unread;
  return { refusals: [...refusals, ...packages.refusals], warnings: packages.warnings, unread };
}

/**
 * Whether the user may do what the service does at its next start, and finds what its packages brought. `startedAt`: when what
 * runs was started, in seconds since 1970. `mended`: the change of the step's that opens it.
 */
export function accessRow(
  facts: SurroundingsFacts,
  startedAt: number | undefined,
  mended?: (path: string, refusal: Refusal) => string | undefined,
): Reading {
  const { user, unit, needs } = facts;
  const { refusals, warnings, unread } = refusalsOf(facts, startedAt);
  const stranger = refusals.find((refusal) => mended?.(refusal.path, refusal) === undefined);
  const first = stranger ?? refusals[0];
  const shown =
    first === undefined ? needs.access.map(({ path }) => path.replace(/\/\*$/, "")) : [first.path];
  const source = `namei -l ${[...new Set(shown)].map(shellWord).join(" ")} (the kernel was asked as ${user})`;
  const room = first === undefined ? withoutRoom(facts) : undefined;
  const row = { setting: `readable by ${user}`, want: ALL, inForce: { is: "inapplicable" } } as const;
  if (unit.is === "value" && first !== undefined) {
    const change = stranger === undefined ? mended?.(first.path, first) : undefined;
    const more = refusals.length > 1 ? ` (and ${refusals.length - 1} more)` : "";
    const because = `${first.because}${more}`;
    return {
      ...row,
      onDisk: { is: "read", value: first.value, source },
      because,
      ...(change === undefined ? { blocked: because } : { closedBy: { change } }),
    };
  }
  if (unread !== undefined) return { ...row, onDisk: { is: "unreadable", source, because: unread } };
  if (room !== undefined) return { ...row, ...room };
  return {
    ...row,
    onDisk: { is: "read", value: ALL, source },
    ...(warnings.length === 0 ? {} : { warning: warnings.join("; ") }),
  };
}

function withoutUser(name: string, unit: string): Refusal {
  return {
    value: `no user ${name}`,
    path: "/etc/passwd",
    because: `this host has no user ${name}, and ${unit} runs as that user: put its line back into /etc/passwd, or reinstall the package that made it`,
    isClosed: false,
  };
}

/** Less is no room: a snapshot or a log could not even begin. */
const LEAST_BYTES = 1 << 20;

type WithoutRoom = Partial<Reading> & { readonly onDisk: Layer };

/** Of the first directory that has none; else of the first that was not read. */
function withoutRoom({ room, user }: SurroundingsFacts): WithoutRoom | undefined {
  const found = [...room].flatMap(([directory, space]) => withoutRoomIn(directory, space, user) ?? []);
  return found.find(({ onDisk }) => onDisk.is === "read") ?? found[0];
}

function withoutRoomIn(directory: string, room: Answer<Space>, user: string): WithoutRoom | undefined {
  if (room.is === "absent") return undefined;
  const source = `df ${directory}`;
  if (room.is === "unreadable") return { onDisk: { is: "unreadable", source, because: room.because } };
  const { freeBlocks, blockBytes, inodes, freeInodes } = room.value;
  const what =
    freeBlocks * blockBytes < LEAST_BYTES ? "room" : inodes > 0 && freeInodes === 0 ? "inodes" : undefined;
  if (what === undefined) return undefined;
  const option = what === "room" ? "-h" : "-i";
  const because = `${directory} has no ${what} left for ${user}: df ${option} ${directory} names the file system, and something there has to go`;
  return { onDisk: { is: "read", value: `no ${what} left`, source }, because, blocked: because };
}

/** Whether what the service finds at its paths after a reboot is what is there now. `own`: its unit. */
export function placeRow(facts: SurroundingsFacts, setting: string, own?: UnitFact): Reading {
  const { needs, unit, unitName } = facts;
  const source = `findmnt -T ${needs.places[0]?.path ?? "/"} (and /etc/fstab)`;
  const row = { setting, want: COMES_BACK, inForce: { is: "inapplicable" } } as const;
  if (unit.is !== "value")
    return { ...row, onDisk: { is: "unreadable", source: unitName, because: reason(unit) } };
  const known = unit.value;
  const requiresMountsFor = (known.get("RequiresMountsFor") ?? [])
    .flatMap((text) => text.split(" "))
    .filter(Boolean);
  const faults: PlaceFault[] = [];
  for (const need of needs.places) {
    const place = facts.places.get(need.path);
    if (place === undefined) continue;
    const fault: PlaceFault | undefined =
      place.is === "value"
        ? faultOfPlace(need, place.value, { requiresMountsFor, mountUnits: facts.mountUnits })
        : { is: "unread", because: reason(place) };
    if (fault !== undefined) faults.push(fault);
    const boot = own?.next?.boot;
    const hidden =
      place.is === "value" && boot?.is === "value" && need.isData
        ? hiddenByUnit(need.path, place.value, boot.value)
        : undefined;
    if (hidden !== undefined) faults.push(hidden);
    const cleans = facts.cleans.get(need.path);
    if (cleans?.is === "unreadable") faults.push({ is: "unread", because: cleans.because });
    const cleaning = cleans?.is === "value" ? faultOfCleaning(need.path, cleans.value) : undefined;
    if (cleaning !== undefined) faults.push(cleaning);
  }
  for (const path of needs.made ?? []) {
    const lines = facts.made.get(path);
    if (lines?.is === "unreadable") faults.push({ is: "unread", because: lines.because });
    if (facts.tmpfiles?.is === "unreadable") faults.push({ is: "unread", because: facts.tmpfiles.because });
    if (lines?.is !== "value") continue;
    const tmpfiles = facts.tmpfiles?.is === "value" ? facts.tmpfiles.value : undefined;
    const fault = faultOfMade(path, lines.value, known, tmpfiles);
    if (fault !== undefined) faults.push(fault);
  }
  const wrong = faults.flatMap((fault) => (fault.is === "fault" ? [fault] : []));
  if (wrong.length > 0) {
    const because = [...new Set(wrong.map((fault) => fault.because))].join("; ");
    return { ...row, onDisk: { is: "read", value: wrong[0]!.value, source }, because, blocked: because };
  }
  const unread = faults.find(({ is }) => is === "unread");
  if (unread !== undefined) return { ...row, onDisk: { is: "unreadable", source, because: unread.because } };
  return {
    ...row,
    onDisk: { is: "inferred", value: COMES_BACK, source },
    ...(faults.length === 0
      ? {}
      : { warning: [...new Set(faults.map(({ because }) => because))].join("; ") }),
  };
}

function reason(answer: Answer<unknown>): string {
  return answer.is === "unreadable" ? answer.because : "it is not there";
}
