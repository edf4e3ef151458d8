import type { Change, Command } from "../../contract/change.ts";
import type { HostFacts } from "../../contract/host.ts";
import type { Layer, Reading } from "../../contract/reading.ts";
import type { Assessed } from "../../contract/step.ts";
import { nextStartRow } from "../../daemon/rows.ts";
import { unitQuestion } from "../../evidence/by-hand.ts";
import { assessFile, type FileFact, sha256Of } from "../../evidence/file.ts";
import { layerFrom } from "../../evidence/layer.ts";
import {
  coversPorts,
  mergePortRanges,
  type PortRange,
  parsePortRanges,
  showPortRanges,
} from "../../evidence/port-ranges.ts";
import { judge } from "../../evidence/verdict.ts";
import { quotable } from "../../terminal-text.ts";
import { LOADER, LOADERS, type Loader, valuesGiven, type Winner, winnerOf } from "./boot.ts";
import type { SysctlDesired } from "./desired.ts";
import { DROP_IN, dropInFile, inOrder, recordFile, renderDropIn, withDropIn } from "./drop-in.ts";
import type { SysctlFacts } from "./facts.ts";
import { procPathOf, sameValue } from "./key.ts";
import { type LaterValue, laterValues } from "./later.ts";
import { PORT_RANGE, RESERVED_PORTS, TIME_STAMPS, UNPRIVILEGED_PORT_START } from "./parameters.ts";

const SYN_COOKIES = "net.ipv4.tcp_syncookies";

const CHANGE = "drop-in";
/** Where the lines of `facts.later` are looked for. */
const LATER = "what else sets it at boot";
const APPLY = new URL("./apply.sh", import.meta.url);

export function assess(desired: SysctlDesired, facts: SysctlFacts, host: HostFacts): Assessed {
  const wanted = wantedSettings(desired, toReserve(desired, facts));
  const refused = refusals(wanted, facts, isContainer(host));
  const content = renderDropIn(wanted);
  const file = assessFile(facts.dropIn, dropInFile(wanted), host.manifest, desired.adopt);
  const loader = loaderReading(facts);
  // The keys are one change: where one of them must not be set, none is.
  const mayChange =
    file.blocked === undefined &&
    refused.size === 0 &&
    facts.loader.is === "value" &&
    facts.loader.value === "loaded" &&
    loaderObstacle(facts) === undefined &&
    // What was not read whole may be what decides.
    facts.unreadFiles.length === 0 &&
    facts.later.is !== "unreadable" &&
    facts.unreadValues.size === 0 &&
    facts.before.is !== "unreadable";
  const closedBy = mayChange ? { change: CHANGE } : undefined;

  const settings = [...wanted].map(([key, want]): Reading => {
    const refusal = refused.get(key);
    return {
      setting: key,
      want,
      onDisk: refusal?.onDisk ?? onDisk(key, want, facts),
      inForce: inForce(key, facts),
      accepts: (value) => isAsWanted(key, want, value),
      closedBy,
      cause: refusal?.cause,
      blocked: refusal?.blocked,
      warning: warningOf(key, wanted, facts, host),
    };
  });
  const rows = [{ ...fileReading(facts.dropIn, file, content), closedBy }, ...settings];
  const open = rows.filter((row) => !["proven", "blocked", "unknown"].includes(judge(row).verdict));
  const notInForce = inOrder(wanted).filter(([key, want]) => !isInForce(key, want, facts));
  const apply: readonly Command[] =
    notInForce.length === 0
      ? []
      : [{ kind: "script", file: APPLY, args: notInForce.flat(), timeoutMs: 10_000 }];
  const change: Change = {
    id: CHANGE,
    why: whyOf(open),
    // The kernel is the validator: a value that it refuses ends the change before the file is written.
    // What it had is on record before that, for whoever wants it back.
    commands: [record(wanted, facts), ...apply, ...(file.agrees ? [] : [file.write])],
    activate: [],
  };
  return {
    readings: [loader, ...rows, ...timeStamps(desired, facts)],
    changes: open.length > 0 && mayChange ? [change] : [],
  };
}

/** Every key with its value, when these ports are to be reserved. */
export function wantedSettings(
  { settings }: SysctlDesired,
  reserve: readonly PortRange[],
): ReadonlyMap<string, string> {
  return new Map([...settings, [RESERVED_PORTS, showPortRanges(reserve)]]);
}

/** Nothing else reads the files at boot: procps.service is another name of it, on every Debian. */
function loaderReading(facts: SysctlFacts): Reading {
  const { loader, loaderUnit, later } = facts;
  const obstacle = loaderObstacle(facts);
  if (loader.is === "value" && loader.value === "loaded" && obstacle?.is === "unreadable")
    return {
      setting: LOADER,
      want: "loaded",
      onDisk: { is: "unreadable", source: LOADER, because: obstacle.because },
      inForce: { is: "inapplicable" },
    };
  const unreadLater = later.is === "value" ? later.value.filter(({ line }) => line === 0) : [];
  const warnings = [
    loaderUnit?.is === "value" ? nextStartRow(loaderUnit.value, LOADER_NEEDS).warning : undefined,
    ...unreadLater.map(
      ({ path, text }) => `${path} was not read and may set the kernel after the files: ${text}`,
    ),
  ].filter((warning) => warning !== undefined);
  return {
    setting: LOADER,
    want: "loaded",
    onDisk: layerFrom(loader, unitQuestion(LOADER, "LoadState")),
    inForce: { is: "inapplicable" },
    warning: warnings.length === 0 ? undefined : warnings.join("; "),
    blocked:
      loader.is === "value" && loader.value !== "loaded"
        ? `${LOADER} is ${unread(loader.value)}`
        : obstacle?.because,
  };
}

const LOADER_NEEDS = { memoryBytes: 0, tasks: 0, isPackaged: true } as const;

/** Why a loader that is loaded reads no file at boot, or not as it should; undefined when it does. */
function loaderObstacle({
  loaderUnit,
}: SysctlFacts): { readonly is: "wrong" | "unreadable"; readonly because: string } | undefined {
  if (loaderUnit === undefined || loaderUnit.is === "absent") return undefined;
  if (loaderUnit.is === "unreadable") return { is: "unreadable", because: loaderUnit.because };
  const { blocked, onDisk } = nextStartRow(loaderUnit.value, LOADER_NEEDS);
  if (blocked !== undefined) return { is: "wrong", because: blocked };
  if (onDisk.is === "unreadable") return { is: "unreadable", because: onDisk.because };
  const boot = loaderUnit.value.next?.boot;
  if (boot?.is === "unreadable") return { is: "unreadable", because: boot.because };
  if (boot?.is !== "value" || boot.value.units.has(LOADER)) return undefined;
  return {
    is: "wrong",
    because: `nothing that ${boot.value.target} wants starts ${LOADER}, so no file is read at boot: systemctl add-wants sysinit.target ${LOADER}`,
  };
}

/** Of a loader that is not loaded: what follows from that, and what to do. */
function unread(loader: string): string {
  const remedy =
    loader === "masked" ? "systemctl unmask systemd-sysctl" : `look at systemctl status ${LOADER}`;
  return `${quotable(loader) || "unknown to systemd"}, so no file is read at boot: ${remedy}`;
}

function record(wanted: ReadonlyMap<string, string>, { values, before }: SysctlFacts): Command {
  const had = [...wanted.keys()].flatMap((key) => {
    const value = values.get(procPathOf(key));
    return value === undefined ? [] : [[key, value] as const];
  });
  return {
    kind: "write",
    ...recordFile(new Map(had)),
    was: before.is === "value" ? before.value : undefined,
  };
}

function whyOf(open: readonly Reading[]): string {
  const keys = open.map((row) => row.setting).filter((setting) => setting !== DROP_IN);
  if (keys.length === 0) return `${DROP_IN} is not as meshctl writes it`;
  return keys.length === 1 ? `${keys[0]} is not as wanted` : `${keys.length} settings are not as wanted`;
}

/** The mesh's ports and all that is reserved now or by any file: writing the key replaces the whole list. */
function toReserve(desired: SysctlDesired, facts: SysctlFacts): readonly PortRange[] {
  const path = procPathOf(RESERVED_PORTS);
  const later = laterOf(facts, RESERVED_PORTS).flatMap(({ value }) => value ?? []);
  const texts = [facts.values.get(path) ?? "", ...valuesGiven(facts.files, path), ...later];
  return mergePortRanges([...desired.reserve, ...texts.flatMap((text) => parsePortRanges(text) ?? [])]);
}

/** Why a key must be left as it is. */
interface Refusal {
  readonly blocked: string;
  readonly onDisk?: Layer;
  readonly cause?: "shadowed";
}

function refusals(
  wanted: ReadonlyMap<string, string>,
  facts: SysctlFacts,
  isInContainer: boolean,
): ReadonlyMap<string, Refusal> {
  const files = withDropIn(facts.files, renderDropIn(wanted));
  const refused = new Map<string, Refusal>();
  for (const [key, want] of wanted) {
    const refusal = refusalOf(key, want);
    if (refusal !== undefined) refused.set(key, refusal);
  }
  return refused;

  function refusalOf(key: string, want: string): Refusal | undefined {
    const path = procPathOf(key);
    if (facts.missing.has(path)) {
      return {
        blocked: `this kernel has no ${key}: correct the name, or load the module that brings it, at boot too`,
      };
    }
    for (const loader of LOADERS) {
      const winner = winnerOf(loader, files, path);
      if (winner !== undefined && !isAsWanted(key, want, winner.value)) {
        return {
          cause: "shadowed",
          onDisk: layerOf(winner, loader),
          blocked: shadowedBy(key, want, winner, loader),
        };
      }
    }
    const later = laterOf(facts, key).find(
      ({ value }) => value !== undefined && !isAsWanted(key, want, value),
    );
    if (later !== undefined) return shadowedLater(key, want, later);
    const module = facts.lateModules.get(path);
    if (module !== undefined && !isInContainer) {
      return {
        blocked: `only the module ${module} brings ${key}, and nothing loads it before the files are read at boot: put ${module} into /etc/modules-load.d/${module}.conf`,
      };
    }
    const lowest = facts.values.get(procPathOf(UNPRIVILEGED_PORT_START));
    if (key === PORT_RANGE && Number(want.split(" ")[0]) < Number(lowest)) {
      return {
        blocked: `the kernel refuses a range that starts below ${UNPRIVILEGED_PORT_START} (${lowest}): ask for "${lowest} ${want.split(" ")[1]}"`,
      };
    }
    return undefined;
  }
}

function shadowedBy(key: string, want: string, winner: Winner, loader: Loader): string {
  const says = winner.value === undefined ? `takes ${key} out` : `sets ${key} to "${winner.value}"`;
  return `${winner.source} ${says} and ${loader} reads it after ${DROP_IN}: ${remedyFor(key, want)}`;
}

function remedyFor(key: string, want: string): string {
  return key === RESERVED_PORTS
    ? `remove that line or let it say "${want}"`
    : "remove that line or ask for its value";
}

/** What is run or read once the files of sysctl.d have been. */
function laterOf({ later }: SysctlFacts, key: string): readonly LaterValue[] {
  return later.is === "value" ? laterValues(later.value, procPathOf(key)) : [];
}

function shadowedLater(key: string, want: string, { value, source, how }: LaterValue): Refusal {
  return {
    cause: "shadowed",
    onDisk: { is: "read", value: value!, source },
    blocked: `${source} sets ${key} to "${value}", and ${how} after ${DROP_IN} is read: ${remedyFor(key, want)}`,
  };
}

/** Whose kernel has the modules of the machine around it. */
function isContainer({ virtualization }: HostFacts): boolean {
  return /^(?:systemd-nspawn|lxc|lxc-libvirt|docker|podman|openvz|container-other)$/.test(virtualization);
}

/** What wins at the next boot as the files are now: the loader that would be wrong speaks first. */
function onDisk(key: string, want: string, facts: SysctlFacts): Layer {
  const { loader: atBoot } = facts;
  if (atBoot.is === "unreadable") return layerFrom(atBoot, LOADER);
  if (atBoot.is !== "value" || atBoot.value !== "loaded") {
    const because = `it is ${unread(atBoot.is === "value" ? atBoot.value : "")}`;
    return { is: "unreadable", source: LOADER, because };
  }
  const obstacle = loaderObstacle(facts);
  if (obstacle !== undefined) return { is: "unreadable", source: LOADER, because: obstacle.because };
  const [unreadFile] = facts.unreadFiles;
  if (unreadFile !== undefined)
    return { is: "unreadable", source: unreadFile.path, because: unreadFile.because };
  if (facts.later.is === "unreadable")
    return { is: "unreadable", source: LATER, because: facts.later.because };
  const found = LOADERS.map((loader) => ({
    loader,
    winner: winnerOf(loader, facts.files, procPathOf(key)),
  }));
  const { loader, winner } =
    found.find(({ winner }) => winner === undefined || !isAsWanted(key, want, winner.value)) ?? found[0]!;
  return winner === undefined ? { is: "absent", source: DROP_IN } : layerOf(winner, loader);
}

function layerOf(winner: Winner, loader: Loader): Layer {
  const source = loader === "systemd-sysctl" ? winner.source : `${winner.source} (${loader})`;
  return winner.value === undefined ? { is: "absent", source } : { is: "read", value: winner.value, source };
}

function inForce(key: string, facts: SysctlFacts): Layer {
  const path = procPathOf(key);
  const source = `/proc/sys/${path}`;
  const value = facts.values.get(path);
  if (value !== undefined) return { is: "read", value, source };
  if (facts.missing.has(path)) return { is: "absent", source };
  const because = facts.unreadValues.get(path) ?? "the kernel lets no process read it";
  return { is: "unreadable", source, because };
}

function isInForce(key: string, want: string, facts: SysctlFacts): boolean {
  return isAsWanted(key, want, facts.values.get(procPathOf(key)));
}

export function isAsWanted(key: string, want: string, value: string | undefined): boolean {
  if (value === undefined) return false;
  if (key !== RESERVED_PORTS) return sameValue(value, want);
  return coversPorts(parsePortRanges(value) ?? [], parsePortRanges(want) ?? []);
}

function warningOf(
  key: string,
  wanted: ReadonlyMap<string, string>,
  facts: SysctlFacts,
  host: HostFacts,
): string | undefined {
  const warnings: string[] = [];
  if (key === "net.ipv4.tcp_max_syn_backlog") warnings.push(...backlogWarnings(wanted));
  if (key === PORT_RANGE) warnings.push(...exposedPorts(wanted, host));
  const unclear = laterOf(facts, key).find(({ value }) => value === undefined);
  if (unclear !== undefined) {
    warnings.push(
      `${unclear.source} names it, and ${unclear.how} after ${DROP_IN} is read: look whether it sets another value`,
    );
  }
  const module = facts.lateModules.get(procPathOf(key));
  if (module !== undefined)
    warnings.push(`it takes effect only once the machine around this container has loaded ${module}`);
  return warnings.length === 0 ? undefined : warnings.join("; ");
}

function backlogWarnings(wanted: ReadonlyMap<string, string>): readonly string[] {
  const warnings: string[] = [];
  const cap = wanted.get("net.core.somaxconn");
  const backlog = wanted.get("net.ipv4.tcp_max_syn_backlog");
  const cookies = wanted.get(SYN_COOKIES);
  if (Number(cap) < Number(backlog)) {
    warnings.push(`net.core.somaxconn (${cap}) caps every listener's queue below this backlog`);
  }
  // tcp_conn_request() in Linux's net/ipv4/tcp_input.c. Cookies are Debian's default and nobody should turn them off:
  // only who sets them is told.
  if (cookies !== undefined && cookies !== "0") {
    warnings.push(
      `the kernel heeds it only while ${SYN_COOKIES} is 0, and that is ${cookies}: until then each listener's own queue counts, up to net.core.somaxconn, and cookies beyond it`,
    );
  }
  return warnings;
}

/** Services of the host's own that an outgoing connection may take the port of while they restart. */
function exposedPorts(wanted: ReadonlyMap<string, string>, { listeners }: HostFacts): readonly string[] {
  const range = wanted.get(PORT_RANGE) ?? "";
  const [first, last] = range.split(" ").map(Number) as [number, number];
  const reserved = parsePortRanges(wanted.get(RESERVED_PORTS) ?? "") ?? [];
  const exposed = new Map(
    listeners
      .filter(({ port }) => first <= port && port <= last)
      .filter(({ port }) => !coversPorts(reserved, [{ first: port, last: port }]))
      .map(({ port, process }) => [port, process]),
  );
  if (exposed.size === 0) return [];
  const ports = [...exposed].sort(([a], [b]) => a - b);
  const who = ports.map(([port, process]) => `${quotable(process) || "a program"} listens on ${port}`);
  const list = showPortRanges(mergePortRanges(ports.map(([port]) => ({ first: port, last: port }))));
  return [
    `${who.join(", ")}, within ${first}–${last} and not reserved: an outgoing connection may take it while it restarts. Add "${RESERVED_PORTS}: ${list}" to this host's sysctl parameters`,
  ];
}

function fileReading(fact: FileFact, file: ReturnType<typeof assessFile>, content: string): Reading {
  const show = (sha256: string, mode: string, owner: string) => `${sha256.slice(0, 12)} ${mode} ${owner}`;
  const absent = fact.kind === "absent" || fact.kind === "dangling link";
  return {
    setting: DROP_IN,
    want: show(sha256Of(content), "0644", "root:root"),
    onDisk: absent
      ? { is: "absent", source: fact.path }
      : fact.because !== undefined
        ? { is: "unreadable", source: fact.path, because: fact.because }
        : { is: "read", value: show(fact.sha256, fact.mode, fact.owner), source: fact.path },
    inForce: { is: "inapplicable" },
    blocked: fact.because === undefined ? file.blocked : undefined,
    diff: file.diff,
  };
}

/** Without time stamps tcp_tw_reuse is a dead letter (tcp_twsk_unique() in Linux's net/ipv4/tcp_ipv4.c). */
function timeStamps(desired: SysctlDesired, facts: SysctlFacts): readonly Reading[] {
  const reuse = desired.settings.get("net.ipv4.tcp_tw_reuse") ?? "0";
  if (reuse === "0" || desired.settings.has(TIME_STAMPS)) return [];
  // 2 is 1 without a random offset.
  const isOn = (value: string | undefined) => value === "1" || value === "2";
  const winners = LOADERS.map((loader) => ({
    loader,
    winner: winnerOf(loader, facts.files, procPathOf(TIME_STAMPS)),
  }));
  const { loader, winner } = winners.find(({ winner }) => winner && !isOn(winner.value)) ?? winners[0]!;
  return [
    {
      setting: TIME_STAMPS,
      want: "1",
      // When no file says anything, the kernel's default is 1.
      onDisk: winner?.value === undefined ? { is: "inapplicable" } : layerOf(winner, loader),
      inForce: inForce(TIME_STAMPS, facts),
      accepts: isOn,
      because: `net.ipv4.tcp_tw_reuse does nothing without time stamps: ask for ${TIME_STAMPS}: 1 as well, or for net.ipv4.tcp_tw_reuse: 0`,
    },
  ];
}
