import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { HostUnreachable } from "../errors.ts";
import type { SshSettings } from "../inventory/ssh-settings.ts";
import { Authentication } from "./authentication.ts";
import { blaming } from "./blame.ts";
import type { Connection } from "./connection.ts";
import type { Deadlines } from "./deadlines.ts";
import { DroppedEarly, whyHungUp } from "./dropped-early.ts";
import { type EffectiveSettings, effectiveSettings } from "./effective-settings.ts";
import { handshake } from "./handshake.ts";
import { type AskHostKey, HostKeyCheck } from "./host-key.ts";
import { formatProxyJump, type Hop, parseProxyJump } from "./jump.ts";
import type { KeyRing } from "./key-ring.ts";
import { Limit } from "./limit.ts";
import { ChannelRefused } from "./line.ts";
import { openProxyCommand, openTcp } from "./socket.ts";
import type { SshConfigReader } from "./ssh-config.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** sshd drops connections at random once 10 are unauthenticated (MaxStartups 10:30:100). */
const MOST_HANDSHAKES = 10;
const MOST_TRIES = 4;
/** Whoever waits for a host that says nothing costs nothing: its place is for the others. */
const SILENT_MS = 1_000;

export interface DialerOptions {
  readonly config: SshConfigReader;
  readonly deadlines: Deadlines;
  readonly askHostKey: AskHostKey | undefined;
  readonly keyRing: KeyRing;
}

interface Bastion {
  readonly connection: Promise<Connection>;
  /** Aborted when nobody waits for it any more. */
  readonly unused: AbortController;
  users: number;
}

/** Makes connections, through shared jump hosts where ssh_config asks for them. */
export class Dialer {
  readonly #options: DialerOptions;
  readonly #handshakes = new Limit(MOST_HANDSHAKES);
  readonly #bastions = new Map<string, Bastion>();

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  /** A new connection to the host. Throws HostUnreachable, or the signal's reason as soon as it is aborted. */
  async dial(host: string, settings: SshSettings, signal: AbortSignal): Promise<Connection> {
    const effective = await effectiveSettings(host, settings, this.#options.config);
    return this.#dial(effective, settings, [], signal);
  }

  /** `route`: the jump hosts, from the far end, that wait for this connection. */
  async #dial(
    effective: EffectiveSettings,
    settings: SshSettings,
    route: readonly string[],
    signal: AbortSignal,
  ): Promise<Connection> {
    const jump = effective.proxyJump.value;
    if (jump === undefined) return this.#dialOver(effective, settings, undefined, () => {}, signal);
    const release = await this.#takeBastion(effective, settings, jump, route, signal);
    try {
      return await this.#dialOver(effective, settings, release.connection, release.giveBack, signal);
    } catch (error) {
      release.giveBack();
      throw error;
    }
  }

  async #dialOver(
    effective: EffectiveSettings,
    settings: SshSettings,
    via: Connection | undefined,
    onClose: () => void,
    signal: AbortSignal,
  ): Promise<Connection> {
    const { askHostKey, keyRing, deadlines } = this.#options;
    for (let tries = 1; ; tries += 1) {
      const leave = await this.#handshakes.take();
      let socket: Duplex | undefined;
      let heard: unknown;
      const watch = setInterval(() => {
        const before = heard;
        heard = socket !== undefined && "bytesRead" in socket ? socket.bytesRead : undefined;
        if (heard === before) leave();
      }, SILENT_MS).unref();
      try {
        const hostKey = await HostKeyCheck.read(effective, askHostKey);
        signal.throwIfAborted();
        socket = blaming(await this.#openStream(effective, via, signal), effective.host);
        return await handshake({
          socket,
          settings: effective,
          hostKey,
          mayAsk: askHostKey !== undefined && effective.hostKeys.value === "ask",
          authentication: new Authentication(effective, settings, keyRing),
          deadlines,
          via,
          onClose,
          signal,
        });
      } catch (error) {
        if (!(error instanceof DroppedEarly)) throw error;
        if (tries >= MOST_TRIES) {
          throw new HostUnreachable(
            effective.host,
            "key exchange",
            `key exchange: the host hung up ${tries} times before it was done: ${error.message}. ` +
              whyHungUp(error.message),
            { cause: error, mayPass: true },
          );
        }
      } finally {
        clearInterval(watch);
        leave();
      }
      // Jittered, or a burst that was dropped together comes back together.
      await unlessAborted(sleep((0.5 + Math.random()) * 300 * 2 ** (tries - 1)), signal);
    }
  }

  async #openStream(
    effective: EffectiveSettings,
    via: Connection | undefined,
    signal: AbortSignal,
  ): Promise<Duplex> {
    const { host, hostName, port, proxyCommand, connectTimeoutMs } = effective;
    if (via === undefined) {
      return proxyCommand.value === undefined
        ? openTcp(effective, signal)
        : openProxyCommand(effective, proxyCommand.value);
    }
    const unreachable = (message: string, cause?: unknown) =>
      new HostUnreachable(host, "jump host", `jump host ${effective.proxyJump.value}: ${message}`, {
        cause,
        // Not when the bastion itself forbids it.
        mayPass: !(cause instanceof ChannelRefused && cause.reason === 1),
      });
    const where = `${hostName.value} port ${port.value}`;
    let timer: NodeJS.Timeout | undefined;
    const opening = via.forward(hostName.value, port.value);
    try {
      return await Promise.race([
        unlessAborted(opening, signal),
        new Promise<never>((_resolve, reject) => {
          timer = setTimeout(
            () => reject(unreachable(`did not reach ${where} within ${connectTimeoutMs.value / 1000} s`)),
            connectTimeoutMs.value,
          );
        }),
      ]);
    } catch (error) {
      // One that opens too late is nobody's.
      opening.then(
        (channel) => channel.destroy(),
        () => {},
      );
      if (error instanceof HostUnreachable) throw error;
      if (error instanceof ChannelRefused) {
        // 1: administratively prohibited (RFC 4254, 5.1).
        const advice = error.reason === 1 ? "; allow it with AllowTcpForwarding in its sshd_config" : "";
        throw unreachable(`cannot open a connection to ${where}: ${error.message}${advice}`, error);
      }
      throw unreachable(`lost: ${error instanceof Error ? error.message : String(error)}`, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The connection to the last hop, shared by all hosts behind it and closed with the last of them. */
  async #takeBastion(
    effective: EffectiveSettings,
    settings: SshSettings,
    jump: string,
    route: readonly string[],
    signal: AbortSignal,
  ): Promise<{ connection: Connection; giveBack: () => void }> {
    const key = bastionKey(jump, settings);
    if (route.includes(key)) {
      throw new HostUnreachable(effective.host, "settings", `settings: ProxyJump ${jump} goes in a circle`);
    }
    let bastion = this.#bastions.get(key);
    if (bastion === undefined) {
      const unused = new AbortController();
      const made: Bastion = {
        connection: this.#dialHops(settings, jump, [...route, key], unused.signal),
        unused,
        users: 0,
      };
      bastion = made;
      this.#bastions.set(key, made);
      const forget = () => {
        if (this.#bastions.get(key) === made) this.#bastions.delete(key);
      };
      made.connection.then(
        (connection) => connection.closed.then(forget),
        (error: unknown) => {
          // What was refused stays refused, or every host behind would knock again: a host with
          // PerSourcePenalties counts that.
          if (error instanceof HostUnreachable && isFinal(error)) made.users = Number.POSITIVE_INFINITY;
          else forget();
        },
      );
    }
    const taken = bastion;
    taken.users += 1;
    let given = false;
    const giveBack = () => {
      if (given) return;
      given = true;
      taken.users -= 1;
      if (taken.users > 0) return;
      if (this.#bastions.get(key) === taken) this.#bastions.delete(key);
      taken.unused.abort(
        new HostUnreachable(effective.host, "jump host", `jump host ${jump}: not needed any more`),
      );
      taken.connection.then(
        (connection) => connection.end(),
        () => {},
      );
    };
    try {
      return { connection: await unlessAborted(taken.connection, signal), giveBack };
    } catch (error) {
      giveBack();
      signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      throw new HostUnreachable(effective.host, "jump host", `jump host ${jump}: ${message}`, {
        cause: error,
        mayPass: error instanceof HostUnreachable && error.mayPass,
      });
    }
  }

  async #dialHops(
    settings: SshSettings,
    jump: string,
    route: readonly string[],
    signal: AbortSignal,
  ): Promise<Connection> {
    const hops = parseProxyJump(jump);
    const last = hops.at(-1) as Hop;
    const hop = await effectiveSettings(last.host, hopSettings(last, settings), this.#options.config);
    const before = hops.slice(0, -1);
    // As ssh -J a,b: what is written before a hop replaces its own ProxyJump.
    const routed: EffectiveSettings =
      before.length === 0 ? hop : { ...hop, proxyJump: { value: formatProxyJump(before), from: "route" } };
    const identityFiles =
      routed.identityFiles.from === "default" && settings.identityFiles !== undefined
        ? { value: settings.identityFiles, from: "inventory" as const }
        : routed.identityFiles;
    return this.#dial({ ...routed, identityFiles }, hopSettings(last, settings), route, signal);
  }
}

/** Hosts share a jump host only where they would reach it with the same trust and the same keys. */
function bastionKey(jump: string, settings: SshSettings): string {
  const { identityFiles, knownHostsFiles, hostKeys } = settings;
  return JSON.stringify([jump, identityFiles, knownHostsFiles, hostKeys]);
}

/** Whether the same would be refused again, also when it is another host's way that leads there. */
function isFinal(error: HostUnreachable): boolean {
  if (error.stage === "jump host") return error.cause instanceof HostUnreachable && isFinal(error.cause);
  return ["settings", "host key", "authentication"].includes(error.stage) && !error.mayPass;
}

/**
 * What the inventory says of a host holds for the way there as far as it is about trust and keys. Its password is
 * for the host alone; user and port of a hop are ssh_config's.
 */
function hopSettings(hop: Hop, settings: SshSettings): SshSettings {
  return {
    ...settings,
    host: hop.host,
    user: hop.user,
    port: hop.port,
    identityFiles: undefined,
    password: undefined,
    sudoPassword: undefined,
  };
}
