import { setTimeout as sleep } from "node:timers/promises";
import type { HostName } from "../contract/inventory-view.ts";
import { HostLost, HostUnreachable } from "../errors.ts";
import type { Remote } from "../remote/remote.ts";
import { scriptText } from "../script-text.ts";
import { shellQuote } from "../shell-quote.ts";
import { lastLines } from "../terminal-text.ts";
import { ChangeFailed } from "./change-failed.ts";
import type { Emit } from "./events.ts";

const READY = new URL("./commands/ready.sh", import.meta.url);
/** Between two looks. Jittered, so that a fleet's hosts are not all asked at once. */
const LEAST_PAUSE_MS = 1_000;
const MOST_PAUSE_MS = 2_500;
const LOOK_TIMEOUT_MS = 30_000;

export interface Waiting {
  /** For all of the hosts together. */
  readonly patienceMs: number;
  readonly remoteOf: (host: HostName) => Remote;
  readonly emit: Emit;
  readonly stop: AbortSignal;
  /** The flag that says how long. */
  readonly flag?: string;
  /** Hosts that reboot, with the number of the boot that is to end: only another counts, over a connection of its own. */
  readonly endedBoots?: ReadonlyMap<HostName, string>;
}

/**
 * Waits until every host lets us in and has come up: systemd has started what it starts, and cloud-init, where there is
 * one, is done. Returns why the others cannot be used: HostUnreachable when the time was up or waiting does not help,
 * ChangeFailed when cloud-init failed. Never throws.
 */
export async function waitForHosts(
  hosts: readonly HostName[],
  waiting: Waiting,
): Promise<ReadonlyMap<HostName, Error>> {
  const deadlineMs = performance.now() + waiting.patienceMs;
  const ended = await Promise.all(
    hosts.map(async (host) => [host, await waitFor(host, deadlineMs, waiting)] as const),
  );
  return new Map(ended.filter((each): each is readonly [HostName, Error] => each[1] !== undefined));
}

async function waitFor(host: HostName, deadlineMs: number, waiting: Waiting): Promise<Error | undefined> {
  const { emit, remoteOf, patienceMs, stop } = waiting;
  let last: StillWaits | undefined;
  while (!stop.aborted) {
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0) break;
    // An attempt may take longer than is left: then it is given up, and so is the host.
    const look = await Promise.race([
      lookAt(remoteOf(host), leftMs, waiting.endedBoots?.get(host)),
      sleep(leftMs, undefined, { ref: false }),
    ]);
    if (look === undefined) break;
    if (look.is === "ready") {
      if (look.remark !== "") emit({ event: "note", host, text: look.remark });
      return undefined;
    }
    if (look.is === "hopeless") return look.error;
    if (look.because !== last?.because) emit({ event: "waiting", host, because: look.because });
    last = look;
    const pauseMs = LEAST_PAUSE_MS + Math.random() * (MOST_PAUSE_MS - LEAST_PAUSE_MS);
    await sleep(Math.max(0, Math.min(pauseMs, deadlineMs - performance.now())));
  }
  if (stop.aborted) return undefined;
  const { stage, because } = last ?? { stage: "connect" as const, because: "connect: no answer yet" };
  return new HostUnreachable(
    host,
    stage,
    `not up within ${patienceMs / 1000} s (${waiting.flag ?? "--wait-for-ssh"}): ${because}`,
  );
}

interface StillWaits {
  readonly is: "waits";
  readonly stage: HostUnreachable["stage"];
  readonly because: string;
}

type Look =
  | StillWaits
  | { readonly is: "ready"; readonly remark: string }
  | { readonly is: "hopeless"; readonly error: Error };

async function lookAt(remote: Remote, leftMs: number, endedBoot: string | undefined): Promise<Look> {
  const asked = endedBoot === undefined ? remote : remote.anew();
  try {
    const timeoutMs = Math.min(LOOK_TIMEOUT_MS, leftMs);
    const args = endedBoot === undefined ? "" : `set -- ${shellQuote(endedBoot)}\n`;
    const { stdout } = await asked.run(`${args}${scriptText(READY)}`, {
      during: "waiting for the host to come up",
      timeoutMs,
    });
    const said = lastLines(stdout, 1);
    const [, word, text = ""] = /^(ready|waits|failed) ?(.*)$/.exec(said) ?? [];
    if (word === "ready") return { is: "ready", remark: text.trim() };
    if (word === "waits") return { is: "waits", stage: "boot", because: `boot: waiting ${text.trim()}` };
    const why = word === "failed" ? text.trim() : `the host did not say whether it is up: ${said}`;
    return { is: "hopeless", error: new ChangeFailed(remote.host, why) };
  } catch (error) {
    // A host that reboots at the end of its set-up takes the connection with it.
    if (error instanceof HostLost)
      return { is: "waits", stage: "connect", because: `connect: ${error.message}` };
    if (error instanceof HostUnreachable && error.mayPass) {
      return { is: "waits", stage: error.stage, because: error.message };
    }
    return { is: "hopeless", error: error as Error };
  } finally {
    if (asked !== remote) await asked.end();
  }
}
