import type { Change, Command } from "../../contract/change.ts";
import { shownId } from "./member.ts";
import { memberFiles, UNIT } from "./render.ts";
import type { ChangeId, MemberView } from "./view.ts";

const script = (name: string) => new URL(`./${name}.sh`, import.meta.url);
const AS_ZOOKEEPER = ["setpriv", "--reuid=zookeeper", "--regid=zookeeper", "--clear-groups"] as const;
const RESTART = { kind: "restart", what: UNIT } as const;

export const DAEMON_RELOAD = "daemon-reload";
export const UNREAD = `systemd has not read the files of ${UNIT} since they changed`;

/** In the order they must be made. Restarts are derived from what runs, so one that was cut off is made later. */
export function changesOf(view: MemberView): readonly Change[] {
  const { needs, closing, daemonReload } = view;
  const changes: Change[] = [];
  if (daemonReload) {
    changes.push({ id: DAEMON_RELOAD, why: UNREAD, commands: [], activate: [activate("reload")] });
  }
  if (closing === undefined) return changes;
  if (needs.package) {
    changes.push({
      id: "packages",
      why: "zookeeper is not installed",
      commands: [{ kind: "install", packages: ["zookeeper"] }],
      activate: [],
    });
  }
  changes.push({ ...CLOSING[closing](view), id: closing });
  return changes;
}

type Body = Omit<Change, "id">;

const CLOSING: Readonly<Record<ChangeId, (view: MemberView) => Body>> = {
  packages: () => ({ why: "", commands: [], activate: [] }),
  configuration,
  start: ({ facts }) => ({
    why: facts.unit.active === "failed" ? "it has failed" : "it does not run",
    commands: [],
    activate: [activate("restart")],
  }),
  restart: (view) => ({
    why: "the running configuration is not the one on disk",
    disrupts: RESTART,
    ...lonely(view),
    commands: [],
    activate: [activate("restart")],
  }),
  enable: () => ({ why: "it does not start at boot", commands: [], activate: [activate("keep")] }),
};

function configuration(view: MemberView): Body {
  const { desired, facts, id, servers, zooCfg, unit, needs } = view;
  const commands: Command[] = [];
  if (needs.initialise) {
    const args = [desired.dataDir, ...(desired.dataLogDir === undefined ? [] : [desired.dataLogDir])];
    commands.push({ kind: "script", file: script("initialise"), args, timeoutMs: 10_000 });
  }
  // Before zoo.cfg points at its directory: whatever starts ZooKeeper in between finds its number there.
  if (needs.myid) {
    const { myid } = memberFiles(desired, servers, id);
    const isClosed = facts.closedMyid !== undefined;
    // What ZooKeeper may not read it cannot keep a copy of, nor root for it: its directory is the service's.
    if (isClosed)
      commands.push({ kind: "run", argv: [...AS_ZOOKEEPER, "rm", "-f", "--", myid.path], timeoutMs: 10_000 });
    commands.push({ kind: "write", ...myid, was: isClosed ? undefined : shownId(facts) });
  }
  if (!zooCfg.agrees) commands.push(zooCfg.write);
  if (!unit.agrees) commands.push(unit.write);
  const names = [
    ...(needs.initialise ? [desired.dataDir] : []),
    ...(needs.myid ? ["myid"] : []),
    ...(zooCfg.agrees ? [] : ["zoo.cfg"]),
    ...(unit.agrees ? [] : [UNIT]),
  ];
  return {
    why: `${names.join(", ")} ${names.length === 1 ? "is" : "are"} not as wanted`,
    ...(needs.restart ? { disrupts: RESTART, ...lonely(view) } : {}),
    commands,
    activate: [activate(needs.start || needs.restart ? "restart" : "keep")],
  };
}

/** One or two members have no majority to spare. */
function lonely({ quorum }: MemberView): { warning?: string } {
  return quorum.members > 2
    ? {}
    : { warning: "no client is served while it restarts: the ensemble has no member to spare" };
}

export function activate(how: "restart" | "keep" | "reload"): Command {
  return { kind: "script", file: script("activate"), args: [how], timeoutMs: 150_000 };
}
