import type { Change, Command } from "../../contract/change.ts";
import { isEnabled } from "../../daemon/rows.ts";
import { boundAddresses } from "../../haproxy/settings.ts";
import { CONFIGURATION, PACKAGES } from "./closing.ts";
import { CONFIG, UNIT } from "./paths.ts";
import { loadedDifferences, type Situation, stoppedFrontEnds } from "./situation.ts";
import { runsOtherStart } from "./start-row.ts";
import { isSameVersion } from "./unit-rows.ts";

const script = (name: string) => new URL(`./${name}.sh`, import.meta.url);
const SYSTEMCTL_TIMEOUT_MS = 30_000;
/** Twice the start-up time that systemd allows a unit; a reload that HAProxy 2.2 botches takes that long to fail. */
const ACTIVATE_TIMEOUT_MS = 180_000;

/** What closes the rows, in the order it must be done. None while a row is blocked. */
export function changesOf(situation: Situation): readonly Change[] {
  const configuration = configurationChange(situation);
  // Of a version that is too old only apt can tell.
  const isOffered = situation.facts.candidate?.is !== "unreadable";
  return [
    ...(situation.installed === undefined && isOffered ? [packages()] : []),
    ...(configuration === undefined ? [] : [configuration]),
  ];
}

function packages(): Change {
  return {
    id: PACKAGES,
    why: "haproxy is not installed",
    commands: [{ kind: "install", packages: ["haproxy"] }],
    activate: [],
  };
}

function configurationChange(situation: Situation): Change | undefined {
  const { desired, facts, active, configFile, dropIn, loadRecorder, toAdopt, configAgrees } = situation;
  // What was not read whole may be as it is wanted.
  if (situation.unreadFile !== undefined) return undefined;
  const writesConfig = !desired.watched && !configFile.agrees;
  const reasons: string[] = [];
  const commands: Command[] = [];
  const activate: Command[] = [];
  // Before the drop-in that has systemd run it.
  if (!loadRecorder.agrees) {
    reasons.push("each start and reload of HAProxy is to be on record");
    commands.push(loadRecorder.write);
  }
  if (!dropIn.agrees) {
    reasons.push("the unit is to have meshctl's drop-in");
    commands.push(dropIn.write);
  }
  if (writesConfig) {
    reasons.push("haproxy.cfg is to hold the mesh's services");
    commands.push(configFile.write);
  }
  if (toAdopt) {
    reasons.push("the watcher is to take haproxy.cfg over");
    commands.push({ kind: "adopt", path: CONFIG });
  }
  if (!dropIn.agrees || facts.unit.needDaemonReload) activate.push(systemctl("daemon-reload"));
  if (!isEnabled(facts.unit)) {
    reasons.push(`${UNIT} is to start at boot`);
    activate.push(systemctl("enable", UNIT));
  }
  const verb = verbOf(situation, writesConfig);
  if (verb !== undefined) {
    reasons.push(verb.why);
    activate.push(reloaded(verb.verb));
  }
  if (commands.length === 0 && activate.length === 0) return undefined;
  // What the file on disk binds is known only when it is the wanted one.
  const binds = writesConfig || configAgrees ? boundAddresses(desired.settings) : [];
  return {
    id: CONFIGURATION,
    why: reasons.length === 0 ? "systemd is to read the unit's files again" : reasons.join("; "),
    disrupts:
      verb === undefined || verb.verb === "start" || !active
        ? undefined
        : { kind: verb.verb, what: UNIT, ...(verb.verb === "restart" ? { drains: true as const } : {}) },
    ...(active && verb?.verb === "restart" ? { warning: REFUSED } : {}),
    commands,
    ...(verb === undefined || verb.verb === "start"
      ? {}
      : {
          validate: {
            file: script("check"),
            args: binds.flatMap(({ address, port }) => [address, String(port)]),
            timeoutMs: 60_000,
          },
        }),
    activate,
  };
}

/** What no drain prevents. */
const REFUSED = "clients on this host itself are refused by its proxy for about a second";

/** What makes the configuration on disk the one that runs, and why; undefined when it does already. */
function verbOf(
  situation: Situation,
  writesConfig: boolean,
): { readonly verb: "start" | "restart" | "reload"; readonly why: string } | undefined {
  const { desired, facts, active, configAgrees, digest, loaded, installed, openFilesNeeded, reloadFailed } =
    situation;
  if (!active) {
    // It may refuse the file that the watcher is about to replace.
    if (desired.watched && facts.configCheck?.is === "unreadable") return undefined;
    if (!situation.awaitsWatcher) return { verb: "restart", why: `${UNIT} does not run` };
    // Not before the watcher has written its file; systemd tries until then.
    if (facts.unit.active === "activating") return undefined;
    return { verb: "start", why: `${UNIT} is to start as soon as the watcher has written haproxy.cfg` };
  }
  // What runs must not be lost to a file that the watcher is about to replace.
  if (situation.isPoisoned) return undefined;
  if (facts.unreadEnvironment === undefined && runsOtherStart(facts)) {
    return { verb: "restart", why: "the unit has it read haproxy.cfg, and what runs was started otherwise" };
  }
  const { master } = facts;
  if (master.is === "value" && master.value.hardOpenFiles < openFilesNeeded) {
    return {
      verb: "restart",
      why: `the master process may open ${master.value.hardOpenFiles} files and needs ${openFilesNeeded}, which only a restart gives it`,
    };
  }
  if (writesConfig) return { verb: "reload", why: "the new file takes effect by a reload" };
  if (!configAgrees) return undefined;
  if (reloadFailed) return { verb: "reload", why: "the last reload failed" };
  const isAnswered = facts.info.size > 0;
  if (isAnswered && digest.inForce !== digest.want) {
    return { verb: "reload", why: "the worker runs with another configuration than haproxy.cfg" };
  }
  if (facts.socket.is === "lost")
    return { verb: "restart", why: "the worker's admin socket is lost, and a reload hands the old one on" };
  // One that does not answer in time may be the one that is wanted.
  if (!isAnswered) return undefined;
  if (loaded.is === "absent") {
    return { verb: "reload", why: "it is not on record what the worker was loaded with" };
  }
  if (loadedDifferences(situation).length > 0) {
    return { verb: "reload", why: "the worker was loaded with another haproxy.cfg than this one" };
  }
  if (Number(facts.info.get("maxconn")) !== desired.parameters.maxconn) {
    return { verb: "reload", why: "the worker has another maxconn than haproxy.cfg" };
  }
  const [stopped] = stoppedFrontEnds(situation);
  if (stopped !== undefined)
    return { verb: "reload", why: `the worker has shut its front end ${stopped} down` };
  const running = facts.info.get("version");
  if (running !== undefined && installed !== undefined && !isSameVersion(running, installed)) {
    return { verb: "reload", why: `HAProxy ${installed} is installed and ${running} runs` };
  }
  return undefined;
}

/** Starts HAProxy or makes it read its configuration again. */
export function reloaded(verb: "start" | "restart" | "reload"): Command {
  return { kind: "script", file: script("activate"), args: [verb], timeoutMs: ACTIVATE_TIMEOUT_MS };
}

export function systemctl(...words: readonly string[]): Command {
  return { kind: "run", argv: ["systemctl", ...words], timeoutMs: SYSTEMCTL_TIMEOUT_MS };
}
