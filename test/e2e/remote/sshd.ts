import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { installMissing } from "../../lab/prerequisites.ts";

const SSHD = "/usr/sbin/sshd";

const PACKAGE_OF_FILE = {
  [SSHD]: "openssh-server",
  "/usr/bin/ssh": "openssh-client",
  "/usr/bin/sudo": "sudo",
  "/usr/bin/doas": "opendoas",
  "/usr/bin/fish": "fish",
  "/usr/bin/tcsh": "tcsh",
  "/usr/bin/openssl": "openssl",
  "/usr/bin/unshare": "util-linux",
};

/** Login users of the test servers. They exist only in the servers' own mount namespace. */
const USERS = {
  ops: { uid: 4001, shell: "/bin/bash" },
  fisher: { uid: 4002, shell: "/usr/bin/fish" },
  tenex: { uid: 4003, shell: "/usr/bin/tcsh" },
  typist: { uid: 4005, shell: "/bin/bash" },
  closed: { uid: 4004, shell: "/usr/sbin/nologin" },
} as const;

/** Everyone's password on the test servers. */
export const PASSWORD = "correct horse; touch /tmp/never";

export interface TestSshd {
  readonly port: number;
  readonly directory: string;
  /** Private key that every user of the server accepts. */
  readonly identityFile: string;
  /** A known_hosts file that knows the server's ed25519 key as [127.0.0.1]:PORT. */
  readonly knownHostsFile: string;
  readonly hostPublicKey: string;
  /** What sshd logged so far. */
  log(): string;
  stop(): Promise<void>;
}

/** Throws one sentence where these tests cannot run; installs what they need where they can. */
async function requireSshd(): Promise<void> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    throw new Error("These tests start sshd on loopback with users of their own: they need root on Linux.");
  }
  const hadServer = existsSync(SSHD);
  await installMissing(PACKAGE_OF_FILE, () => {});
  // The machine did not ask for a server of its own.
  if (!hadServer) spawnSync("systemctl", ["disable", "--now", "ssh.service"], { stdio: "ignore" });
}

export interface SshdOptions {
  /** Lines of sshd_config. First match wins, so they come before the defaults. */
  readonly config?: readonly string[];
  readonly sudoers?: string;
  readonly doasConf?: string;
  readonly bashrc?: string;
  /** What PAM says to everybody but root (pam_nologin), as on a host that boots. */
  readonly nologin?: string;
}

/** Starts a real sshd on 127.0.0.1 with its own keys, users and sudo rules; nothing of the machine is changed. */
export async function startSshd(options: SshdOptions = {}): Promise<TestSshd> {
  await requireSshd();
  const directory = mkdtempSync(join(tmpdir(), "meshctl-sshd-"));
  chmodSync(directory, 0o755);
  mkdirSync("/run/sshd", { recursive: true });
  const inside = (name: string) => join(directory, name);
  keygen(inside("host_key"));
  keygen(inside("id_ed25519"));
  writeFileSync(inside("authorized_keys"), readFileSync(inside("id_ed25519.pub")));
  mkdirSync(inside("home"));
  writeFileSync(inside("home/.bashrc"), options.bashrc ?? "");
  chmodSync(inside("home"), 0o777);

  const hash = execFileSync("openssl", ["passwd", "-6", "-stdin"], { input: PASSWORD }).toString().trim();
  const users = Object.entries(USERS);
  const passwd = users
    .map(([name, { uid, shell }]) => `${name}:x:${uid}:${uid}::${inside("home")}:${shell}\n`)
    .join("");
  const shadow = users.map(([name]) => `${name}:${hash}:19000:0:99999:7:::\n`).join("");
  const group = users.map(([name, { uid }]) => `${name}:x:${uid}:\n`).join("");
  writeFileSync(inside("passwd"), readFileSync("/etc/passwd", "utf8") + passwd);
  writeFileSync(inside("shadow"), readFileSync("/etc/shadow", "utf8") + shadow, { mode: 0o640 });
  writeFileSync(inside("group"), readFileSync("/etc/group", "utf8") + group);
  const sudoers = options.sudoers ?? "ops, fisher, tenex ALL=(ALL) NOPASSWD: ALL\n";
  writeFileSync(inside("sudoers"), `Defaults logfile="${inside("sudo.log")}"\n${sudoers}`, { mode: 0o440 });
  writeFileSync(inside("doas.conf"), options.doasConf ?? "", { mode: 0o440 });

  if (options.nologin !== undefined) writeFileSync(inside("nologin"), options.nologin);

  const port = await freePort();
  writeFileSync(
    inside("sshd_config"),
    [
      ...(options.config ?? []),
      "ListenAddress 127.0.0.1",
      `Port ${port}`,
      `HostKey ${inside("host_key")}`,
      `AuthorizedKeysFile ${inside("authorized_keys")}`,
      `PidFile ${inside("sshd.pid")}`,
      "PermitRootLogin yes",
      "StrictModes no",
      "PasswordAuthentication no",
      "UsePAM no",
      "",
    ].join("\n"),
  );
  // The users live in an /etc that only this server and its children see.
  const start = `
    mkdir "$1/etc-layers"
    mount -t tmpfs tmpfs "$1/etc-layers" && mkdir "$1/etc-layers/upper" "$1/etc-layers/work" || exit
    mount -t overlay -o "lowerdir=/etc,upperdir=$1/etc-layers/upper,workdir=$1/etc-layers/work" overlay /etc || exit
    for file in passwd shadow group sudoers doas.conf nologin; do
      [ -e "$1/$file" ] || continue
      cp --remove-destination "$1/$file" "/etc/$file" && chmod --reference="$1/$file" "/etc/$file" || exit
    done
    exec ${SSHD} -D -e -f "$1/sshd_config"`;
  const child = spawn(
    "unshare",
    ["--mount", "--propagation", "private", "sh", "-c", start, "sh", directory],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  let log = "";
  child.stderr.on("data", (chunk) => {
    log += chunk;
  });
  const hostPublicKey = readFileSync(inside("host_key.pub"), "utf8").split(" ").slice(0, 2).join(" ");
  writeFileSync(inside("known_hosts"), `[127.0.0.1]:${port} ${hostPublicKey}\n`);
  await untilListening(port, child, () => log);
  return {
    port,
    directory,
    identityFile: inside("id_ed25519"),
    knownHostsFile: inside("known_hosts"),
    hostPublicKey,
    log: () => log,
    async stop() {
      if (child.exitCode === null) {
        const gone = new Promise((resolve) => child.once("exit", resolve));
        child.kill();
        await gone;
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function keygen(path: string, ...options: string[]): void {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path, ...options]);
}

/** Lets one more key in. */
export function authorize(sshd: TestSshd, publicKeyFile: string): void {
  appendFileSync(join(sshd.directory, "authorized_keys"), readFileSync(publicKeyFile));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

async function untilListening(port: number, child: ChildProcess, log: () => string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`sshd did not start: ${log()}`);
    const up = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
    if (up) return;
    await sleep(25);
  }
  throw new Error(`sshd does not listen: ${log()}`);
}
