/**
 * What people bring along: keys of Ansible's inventories and playbooks, kamal's deploy.yml, k0sctl's and Synapse's files, and
 * the words for the same here. Said of a key that is unknown where it stands.
 */
const WORDS: Readonly<Record<string, string>> = {
  // Ansible
  ansible_host: "here `ssh: { host: … }` of the host",
  ansible_ssh_host: "here `ssh: { host: … }` of the host",
  ansible_user: "here `ssh: { user: … }`",
  ansible_ssh_user: "here `ssh: { user: … }`",
  ansible_port: "here `ssh: { port: … }`",
  ansible_ssh_port: "here `ssh: { port: … }`",
  ansible_password: "here `ssh: { password: !env NAME }`",
  ansible_ssh_pass: "here `ssh: { password: !env NAME }`",
  ansible_ssh_private_key_file: "here `ssh: { identity_file: … }`",
  ansible_ssh_common_args: "here ~/.ssh/config, which is heeded",
  ansible_become: "here `ssh: { privilege: sudo }`",
  ansible_become_method: "here `ssh: { privilege: sudo }`",
  ansible_become_password: "here `ssh: { sudo_password: !env NAME }`",
  ansible_become_pass: "here `ssh: { sudo_password: !env NAME }`",
  ansible_connection: "hosts are reached by SSH",
  ansible_python_interpreter: "no Python is needed on hosts",
  become: "here `ssh: { privilege: sudo }` in the inventory",
  become_user: "meshctl becomes root, by `ssh: { privilege: sudo }` in the inventory",
  children: "a group's list may hold groups: `hosts: [other-group]`",
  vars: "here a step's parameters stand below its name, in the group or the host",
  tasks: "here `steps: { sysctl: {}, haproxy: {} }`",
  roles: "here `steps: { sysctl: {}, haproxy: {} }`",
  gather_facts: "hosts are always looked at: leave it out",
  max_fail_percentage: "here `max_fail: 0`, a number of hosts",
  // kamal
  servers: "here `hosts:` and `groups:`",
  proxy: "here `mesh: { proxies: GROUP }` and the group's `haproxy: {}`",
  accessories: "here `groups:` and a play for each in the playbook",
  // k0sctl, tiup
  openSSH: "here `ssh: { client: openssh }`",
  keyPath: "here `ssh: { identity_file: … }`",
  bastion: "here ProxyJump in ~/.ssh/config, which is heeded",
  pd_servers: "here `mesh: { ensemble: GROUP }`",
  // Synapse and Nerve
  zk_hosts: "here `mesh: { ensemble: GROUP }`",
  zk_path: "here `path:` of the service",
  discovery: "here `path:` of the service; Synapse's own form stands below `mesh: { service_watcher: … }`",
  check_interval: "here `check: { inter: 2000 }`",
  default_servers: "here `servers:` of the service, without `path`",
};

/** The same by the place where a key stands, which is known by a key that only it knows. */
const WORDS_AT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // The top of an inventory.
  allow_os: {
    plays: "here in the playbook, which `-p FILE` names",
    all: "Ansible's group of all hosts; the playbook has settings for all of them",
    services: "here `mesh: { services: … }`",
    service: "here `mesh: { services: … }`",
    zookeeper: "here `mesh: { ensemble: GROUP }`, and its ports `mesh: { zookeeper: … }`",
    global: "here `ssh:` for how hosts are reached, and the playbook for settings of all hosts",
    server_configs: "here a step's parameters stand in a group, a host or the playbook",
    spec: "here `hosts:`, `groups:` and `mesh:` stand at the top",
    apiVersion: "here `version: 1`",
    kind: "here `version: 1` says it",
    user: "here `ssh: { user: … }`",
    port: "here `ssh: { port: … }`",
    haproxy: "here in a group or a host, or in the playbook's `steps`",
    sysctl: "here in a group or a host, or in the playbook's `steps`",
    mysql: "here in a group or a host, or in the playbook's `steps`",
    env: "here a step's parameters stand in a group, a host or the playbook; secrets come by `!env NAME`",
    image: "meshctl starts no containers: `mesh: { services: … }` names what runs already",
    registry: "meshctl starts no containers: `network: { proxy: … }` is the way to package registries",
  },
  // A host.
  address: {
    ip: "here `address: IP`",
    hostname: "here the name stands before the map, and `ssh: { host: … }` is where to connect",
    host: "here `address: IP`, and `ssh: { host: … }` where to connect by another name",
    name: "here the name stands before the map: `NAME: { address: … }`",
    privateAddress: "here `address: IP`, and `ssh: { host: … }` where to connect",
    private_ip: "here `address: IP`, and `ssh: { host: … }` where to connect",
    role: "here `groups:` say what hosts are",
    roles: "here `groups:` say what hosts are",
    labels: "here `groups:` say what hosts are",
    tags: "here `groups:` say what hosts are",
    user: "here `ssh: { user: … }`",
    port: "here `ssh: { port: … }`",
    ssh_user: "here `ssh: { user: … }`",
    ssh_port: "here `ssh: { port: … }`",
    identity_file: "here `ssh: { identity_file: … }`",
    private_key: "here `ssh: { identity_file: … }`",
  },
  // How hosts are reached.
  known_hosts: {
    private_key: "here `ssh: { identity_file: … }`",
    private_key_file: "here `ssh: { identity_file: … }`",
    key: "here `ssh: { identity_file: … }`",
    key_file: "here `ssh: { identity_file: … }`",
    keys: "here `ssh: { identity_file: … }`",
    ssh_key: "here `ssh: { identity_file: … }`",
    proxy: "here ProxyJump in ~/.ssh/config, which is heeded",
    proxy_jump: "here ProxyJump in ~/.ssh/config, which is heeded",
    proxy_command: "here ProxyJump in ~/.ssh/config, which is heeded",
    jump_host: "here ProxyJump in ~/.ssh/config, which is heeded",
    strict_host_key_checking: "here `ssh: { host_keys: strict }`, or accept-new, or ask",
    host_key_checking: "here `ssh: { host_keys: strict }`, or accept-new, or ask",
    sudo: "here `ssh: { privilege: sudo }`",
    become: "here `ssh: { privilege: sudo }`",
    timeout: "here `ssh: { connect_timeout: 10s }`",
  },
  // A member of the ensemble.
  data_log_dir: {
    myid: "here `zookeeper: { id: 1 }` of the host",
    server_id: "here `zookeeper: { id: 1 }` of the host",
    client_port: "here `mesh: { zookeeper: { client_port: … } }`, the same on all members",
    clientPort: "here `mesh: { zookeeper: { client_port: … } }`, the same on all members",
    dataDir: "here `zookeeper: { data_dir: … }`",
    dataLogDir: "here `zookeeper: { data_log_dir: … }`",
    tickTime: "here `zookeeper: { tick_time: … }`",
    initLimit: "here `zookeeper: { init_limit: … }`",
    syncLimit: "here `zookeeper: { sync_limit: … }`",
    heap_size: "here `zookeeper: { heap: 1G }`",
  },
  // A database.
  redo_log_capacity: {
    innodb_buffer_pool_size: "here `mysql: { buffer_pool_size: 75% }`",
    innodb_log_file_size: "here `mysql: { log_file_size: 512M }`",
    innodb_redo_log_capacity: "here `mysql: { redo_log_capacity: … }`",
    innodb_flush_log_at_trx_commit: "here `mysql: { flush_log_at_trx_commit: 1 }`",
  },
  // A check.
  inter: {
    interval: "here `check: { inter: 2000 }`, in milliseconds",
    interval_ms: "here `check: { inter: 2000 }`, in milliseconds",
    type: "here the check's kind is its key: `check: { http: GET /health }`",
    uri: "here `check: { http: GET /health }`",
    path: "here `check: { http: GET /health }`",
    status: "here `check: { expect: … }`",
  },
  // A service.
  balance: {
    checks: "here `check: { http: GET /health }`",
    haproxy: "here `port`, `mode`, `balance`, `check`, `timeout` and `lines` of the service itself",
    healthcheck: "here `check: { http: GET /health }`",
    health_check: "here `check: { http: GET /health }`",
    uri: "here `check: { http: GET /health }`",
    host: "here `servers: [{ host: …, port: … }]`, or a `path` where backends register",
    hosts: "here `servers: [{ host: …, port: … }]`, or a `path` where backends register",
    backends: "here `servers: [{ host: …, port: … }]`, or a `path` where backends register",
    lb: "here `balance: leastconn`",
    lb_policy: "here `balance: leastconn`",
    listen: "here `lines: { frontend: […], backend: […] }`",
    server_options: "here `lines: { server: … }`",
    timeout_connect: "here `timeout: { connect: … }`",
    timeout_client: "here `timeout: { client: … }`",
    timeout_server: "here `timeout: { server: … }`",
    weight: "here `weight` of each of its `servers`; a backend that registers says its own",
  },
  // A play.
  max_fail: {
    name: "a play has no name: make it a comment",
    when: "a play has no conditions: `hosts` is a pattern like 'proxies,!db-01'",
    tags: "here `--steps NAMES` chooses on the command line",
    remote_user: "here `ssh: { user: … }` in the inventory",
  },
};

/** What a key of another tool is called here, as a clause; `known` are the keys of the place. Undefined where nobody is known for it. */
export function wordHere(key: string, known: readonly string[]): string | undefined {
  for (const [sign, words] of Object.entries(WORDS_AT))
    if (known.includes(sign) && Object.hasOwn(words, key)) return words[key];
  return Object.hasOwn(WORDS, key) ? WORDS[key] : undefined;
}
