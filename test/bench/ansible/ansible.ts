import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { mustRun } from "../../e2e/backends.ts";
import type { Lab, LabHost } from "../../lab/lab.ts";

const PLAYBOOK = "converged.yaml";

/** Of the files that meshctl writes those that a role would have as templates, and not as a program of its own. */
const FILES = [
  "/etc/sysctl.d/99-zz-meshctl.conf",
  "/var/lib/zookeeper/data/myid",
  "/etc/zookeeper/conf/zoo.cfg",
  "/etc/systemd/system/zookeeper.service",
  "/etc/systemd/system/haproxy.service.d/meshctl.conf",
  "/etc/haproxy/haproxy.cfg",
  "/etc/meshctl/synapse.conf.json",
  "/etc/systemd/system/meshctl-watcher.service",
];
const PACKAGES = ["zookeeper", "haproxy", "ruby"];
const SERVICES = ["zookeeper", "haproxy", "meshctl-watcher"];
const SYSCTL = {
  "net.ipv4.tcp_tw_reuse": "1",
  "net.ipv4.ip_local_port_range": "1024 65023",
  "net.ipv4.tcp_max_syn_backlog": "10240",
  "net.ipv4.tcp_fin_timeout": "15",
};

/** As a careful user sets it up: one connection a host for all tasks, and no file for each module. */
const CONFIGURATION = `[defaults]
forks = 10
retry_files_enabled = false
interpreter_python = /usr/bin/python3
[ssh_connection]
pipelining = true
`;

export function hasAnsible(): boolean {
  return spawnSync("ansible-playbook", ["--version"], { stdio: "ignore" }).status === 0;
}

interface Playbook {
  /** Throws when it failed, or found anything to change: it is not what was to be measured then. */
  run(): void;
  remove(): void;
}

/**
 * A playbook that wants of these converged hosts what they are. `hosts`: throw-away ones, for they get the Python that
 * Ansible needs.
 */
export async function playbookFor(lab: Lab, hosts: readonly LabHost[]): Promise<Playbook> {
  const directory = mkdtempSync(join(tmpdir(), "meshctl-ansible-"));
  copyFileSync(join(import.meta.dirname, PLAYBOOK), join(directory, PLAYBOOK));
  writeFileSync(join(directory, "ansible.cfg"), CONFIGURATION);
  const apt = `env http_proxy=${lab.proxyUrl} DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends`;
  const entries = await Promise.all(
    hosts.map(async (host) => {
      await mustRun(host, `${apt} update && ${apt} install python3 python3-apt`, undefined, {
        timeoutMs: 300_000,
      });
      const files = await Promise.all(FILES.map((path) => fileOf(host, path, directory)));
      const destination = lab.sshArguments(host);
      return [
        host.name,
        {
          ansible_host: host.address,
          ansible_user: lab.sshUser,
          ansible_ssh_common_args: destination.slice(0, -1).join(" "),
          files,
        },
      ] as const;
    }),
  );
  writeFileSync(
    join(directory, "hosts.json"),
    JSON.stringify({
      all: {
        hosts: Object.fromEntries(entries),
        vars: { packages: PACKAGES, services: SERVICES, sysctl: SYSCTL },
      },
    }),
  );
  return {
    run() {
      const { status, stdout, stderr } = spawnSync("ansible-playbook", ["-i", "hosts.json", PLAYBOOK], {
        cwd: directory,
        encoding: "utf8",
      });
      if (status !== 0 || /changed=[1-9]/.test(stdout))
        throw new Error(`ansible-playbook ended with ${status}:\n${stdout}${stderr}`);
    },
    remove: () => rmSync(directory, { recursive: true }),
  };
}

async function fileOf(host: LabHost, path: string, directory: string) {
  const [owner, group, mode] = (await mustRun(host, `stat -c '%U %G 0%a' ${path}`)).trim().split(" ");
  const local = join(directory, "files", host.name + path);
  mkdirSync(dirname(local), { recursive: true });
  writeFileSync(local, await mustRun(host, `cat ${path}`));
  return { path, owner, group, mode };
}
