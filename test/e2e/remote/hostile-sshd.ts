import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import ssh2, { type ServerChannel } from "ssh2";
import { keygen } from "./sshd.ts";

/** What a hostile host is told and may answer, once somebody has logged in and sent an exec request. */
export interface Victim {
  /** Marks that a root shell is ready. */
  readonly nonce: string;
  /** The script, once that was said, and what marks its output: it came over standard input, so the host knows it. */
  script(): Promise<{ readonly text: string; readonly mark: string }>;
  /** Hands over what comes behind the script, as it comes. */
  listen(take: (bytes: Buffer) => void): void;
  /** Sends to standard output, or to standard error, and waits until the client takes it; false once it is gone. */
  say(bytes: string | Buffer, stream?: "stdout" | "stderr"): Promise<boolean>;
  /** Frees the channel with an exit code. */
  exit(code: number): void;
}

export interface HostileSshd {
  readonly port: number;
  readonly settings: {
    readonly port: number;
    readonly identityFiles: readonly string[];
    readonly knownHostsFiles: readonly string[];
  };
  /** How many connections were made. */
  readonly connections: number;
  stop(): Promise<void>;
}

/** An SSH server on 127.0.0.1 that lets everybody in and answers each exec request as `behave` does. */
export async function startHostileSshd(behave: (victim: Victim) => Promise<void>): Promise<HostileSshd> {
  const directory = mkdtempSync(join(tmpdir(), "meshctl-hostile-"));
  const inside = (name: string) => join(directory, name);
  keygen(inside("id"));
  // ssh2's own generator makes one now and then that ssh2 cannot read.
  keygen(inside("host"));
  const hostKey = readFileSync(inside("host"));
  const publicKey = readFileSync(inside("host.pub"), "utf8").trim();
  let connections = 0;
  const clients = new Set<{ end(): unknown }>();
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    connections += 1;
    clients.add(client);
    client.on("error", () => {});
    client.once("close", () => clients.delete(client));
    client.on("authentication", (attempt) => {
      if (attempt.method === "publickey") attempt.accept();
      else attempt.reject(["publickey"]);
    });
    client.on("session", (accept) =>
      accept().on("exec", (acceptExec) => {
        const channel = acceptExec();
        channel.on("error", () => {});
        victimOf(channel).then(behave).catch(unlessGone);
      }),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  writeFileSync(inside("known_hosts"), `[127.0.0.1]:${port} ${publicKey}\n`);
  return {
    port,
    settings: { port, identityFiles: [inside("id")], knownHostsFiles: [inside("known_hosts")] },
    get connections() {
      return connections;
    },
    async stop() {
      for (const client of clients) client.end();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** It may leave at any time: a run that is interrupted does, or one that has failed. */
class ClientGone extends Error {}

function unlessGone(error: unknown): void {
  if (!(error instanceof ClientGone)) throw error;
}

/** Reads as login.sh and root.sh do: a program, the header with the nonce, "GO", a program, the script's length and the script. */
async function victimOf(channel: ServerChannel): Promise<Victim> {
  let received = "";
  let behind = 0;
  let isGone = false;
  // A letter for each byte.
  channel.setEncoding("latin1");
  channel.on("data", (text: string) => {
    received += text;
  });
  channel.once("close", () => {
    isGone = true;
  });
  const until = async <T>(look: () => T | undefined): Promise<T> => {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (isGone) throw new ClientGone("the client has gone");
      await sleep(5);
    }
  };
  const nonce = await until(() => /^.*\n([0-9a-f]{32}) .*\n/.exec(received)?.[1]);
  return {
    nonce,
    script: () =>
      until(() => {
        const header = new RegExp(`GO ${nonce}\n.*\n(\\d+) (?:open|closed) (\\w+)\n(.*)$`, "s");
        const [, bytes, mark = "", rest = ""] = header.exec(received) ?? [];
        if (bytes === undefined || rest.length < Number(bytes)) return undefined;
        behind = received.length - rest.length + Number(bytes);
        return { text: Buffer.from(rest.slice(0, Number(bytes)), "latin1").toString(), mark };
      }),
    listen(take) {
      take(Buffer.from(received.slice(behind), "latin1"));
      channel.on("data", (text: string) => take(Buffer.from(text, "latin1")));
    },
    async say(bytes, stream = "stdout") {
      if (isGone) return false;
      const to = stream === "stdout" ? channel : channel.stderr;
      const taken = new Promise<void>((resolve) => to.write(bytes, () => resolve()));
      await Promise.race([taken, sleep(1_000)]);
      return !isGone;
    },
    exit(code) {
      if (isGone) return;
      channel.exit(code);
      channel.end();
    },
  };
}
