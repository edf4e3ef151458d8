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
  ansible_ssh_extra_args: "here ~/.ssh/config, which is heeded",
  ansible_ssh_private_key: "here `ssh: { identity_file: … }`",
  ansible_private_key_file: "here `ssh: { identity_file: … }`",
  ansible_sudo_pass: "here `ssh: { sudo_password: !env NAME }`",
  ansible_shell_type: "a POSIX shell is enough: leave it out",
  ansible_ssh_common_args: "here ~/.ssh/config, which is heeded",
  ansible_become: "here `ssh: { privilege: sudo }`",
  ansible_become_method: "here `ssh: { privilege: sudo }`",
  ansible_become_password: "here `ssh: { sudo_password: !env NAME }`",
  ansible_become_pass: "here `ssh: { sudo_password: !env NAME }`",
  ansible_connection: "hosts are reached by SSH",
  ansible_python_interpreter: "no Python is needed on hosts",
  become: "here `ssh: { privilege: sudo }` in the inventory",
  become_user: "meshctl becomes root, by `ssh: { privilege: sudo }` in the inventory",
  groups: "a group's list may hold groups: `hosts: [other-group]`",
  children: "a group's list may hold groups: `hosts: [other-group]`",
  vars: "here a step's parameters stand below its name, in the group or the host",
  group_vars: "here a step's parameters stand below its name, in the group or the host",
  host_vars: "here a step's parameters stand below its name, in the group or the host",
  vars_files: "here several inventories are read as one: `-i hosts.yaml -i mesh.yaml`",
  vars_prompt: "values stand in the inventory; secrets come by `!env NAME` or `!command [PROGRAM, ARGUMENT]`",
  set_fact: "meshctl has no variables: write the value where it is used",
  hostvars: "meshctl has no variables: write the value where it is used",
  include: "no file includes another: several inventories are read as one, `-i hosts.yaml -i mesh.yaml`",
  import_playbook: "no file includes another: a playbook is named with `-p FILE`",
  become_method: "here `ssh: { privilege: sudo }` in the inventory",
  environment:
    "meshctl sets no environment: `network: { proxy: … }` of the inventory is the proxy of downloads",
  pre_tasks: "here `before: COMMAND`",
  post_tasks: "here `after: COMMAND`",
  handlers: "a service restarts when what it runs with has changed: leave it out",
  notify: "a service restarts when what it runs with has changed: leave it out",
  when: "meshctl has no conditions: a play's `hosts` is a pattern like 'proxies,!db-01'",
  tags: "here `--steps NAMES` chooses on the command line",
  loop: "a play has no loops: `hosts` is a pattern like 'proxies,!db-01'",
  with_items: "a play has no loops: `hosts` is a pattern like 'proxies,!db-01'",
  register: "meshctl has no variables: leave it out",
  ignore_errors: "a failed change stops the run: `max_fail: 1` lets one host fail",
  any_errors_fatal: "here `max_fail: 0`, which is the default",
  delegate_to: "here a play of its own, with `hosts:`",
  run_once: "here a play with one host: `hosts: kvm-01`",
  strategy: "here `serial: [1, 25%, 100%]`",
  forks: "here `--parallel N` on the command line",
  throttle: "here `serial: 1`",
  connection: "hosts are reached by SSH: leave it out",
  tasks: "here `steps: { sysctl: {}, haproxy: {} }`",
  roles: "here `steps: { sysctl: {}, haproxy: {} }`",
  gather_facts: "hosts are always looked at: leave it out",
  max_fail_percentage: "here `max_fail: 0`, a number of hosts",
  // kamal
  servers: "here `hosts:` and `groups:`",
  proxy: "here `mesh: { proxies: GROUP }` and the group's `haproxy: {}`",
  accessories: "here `groups:` and a play for each in the playbook",
  builder: "meshctl builds no images: leave it out",
  healthcheck: "here `check: { http: GET /health }` of the service",
  deploy_timeout: "here `timeout: 30s` of a hook",
  boot: "here `serial: [1, 25%, 100%]` of a play",
  // k0sctl, tiup, terraform
  installFlags: "here a step's parameters stand below its name, in the group or the host",
  privateInterface: "here `address: IP` of the host",
  hooks: "here `before:` and `after:` of a play or a step",
  k0s: "meshctl runs no Kubernetes: leave it out",
  tikv_servers: "here `groups:` say what hosts are",
  tidb_servers: "here `groups:` say what hosts are",
  monitoring_servers: "here `groups:` say what hosts are",
  resource: "`terraform output -json` becomes an inventory by `meshctl init prod.yaml --from-terraform FILE`",
  provider: "`terraform output -json` becomes an inventory by `meshctl init prod.yaml --from-terraform FILE`",
  depends_on: "plays and steps run in the order in which they stand: leave it out",
  count: 'a range names several hosts: `"kvm-[01:03]"`',
  for_each: 'a range names several hosts: `"kvm-[01:03]"`',
  openSSH: "here `ssh: { client: openssh }`",
  keyPath: "here `ssh: { identity_file: … }`",
  bastion: "here ProxyJump in ~/.ssh/config, which is heeded",
  pd_servers: "here `mesh: { ensemble: GROUP }`",
  // Synapse and Nerve
  zk_hosts: "here `mesh: { ensemble: GROUP }`",
  zk_path: "here `path:` of the service",
  discovery:
    "here `path:` or `dns:` of the service; Synapse's own form stands below `mesh: { service_watcher: … }`",
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
    kind: "leave it out: `-i FILE` says that the file is an inventory",
    metadata: "leave it out: an inventory has no name and no labels",
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
    groups: "here `groups:` at the top list the host: `groups: { proxies: [kvm-01] }`",
    group: "here `groups:` at the top list the host: `groups: { proxies: [kvm-01] }`",
    zookeeper_id: "here `zookeeper: { id: 1 }`",
    myid: "here `zookeeper: { id: 1 }`",
    id: "here `zookeeper: { id: 1 }`",
    os: "the release is read from the host: leave it out",
    arch: "the architecture is read from the host: leave it out",
    maxconn: "here `haproxy: { maxconn: … }`",
    weight: "here `registrar: { services: { NAME: { port: …, weight: … } } }`",
    services: "here `registrar: { services: { NAME: { port: … } } }`",
    password: "here `ssh: { password: !env NAME }`",
    ssh_config: "~/.ssh/config is heeded: leave it out",
    location: "here `country: DE`",
    datacenter: "here `groups:` say what hosts share, and `country: DE` where they stand",
    rack: "here `groups:` say what hosts share",
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
    jump: "here ProxyJump in ~/.ssh/config, which is heeded",
    ProxyJump: "here ~/.ssh/config, which is heeded",
    ProxyCommand: "here ~/.ssh/config, which is heeded",
    ForwardAgent: "meshctl forwards no agent: leave it out",
    StrictHostKeyChecking: "here `ssh: { host_keys: strict }`, or accept-new, or ask",
    UserKnownHostsFile: "here `ssh: { known_hosts: FILE }`",
    IdentityFile: "here `ssh: { identity_file: FILE }`",
    args: "here ~/.ssh/config, which is heeded",
    options: "here ~/.ssh/config, which is heeded",
    extra_args: "here ~/.ssh/config, which is heeded",
    pass: "here `ssh: { password: !env NAME }`",
    hostname: "here `ssh: { host: … }` of the host",
    address: "here `address: IP` of the host, and `ssh: { host: … }` where to connect by another name",
    sudo: "here `ssh: { privilege: sudo }`",
    become: "here `ssh: { privilege: sudo }`",
    timeout: "here `ssh: { connect_timeout: 10s }`",
  },
  // How hosts reach package registries.
  ca_file: {
    http_proxy: "here `network: { proxy: http://proxy.example:3128 }`",
    https_proxy: "here `network: { proxy: http://proxy.example:3128 }`",
    HTTP_PROXY: "here `network: { proxy: !env HTTP_PROXY }`",
    no_proxy: "only downloads go through the proxy: leave it out",
    ca: "here `network: { ca_file: FILE }`",
    ca_cert: "here `network: { ca_file: FILE }`",
  },
  // A group.
  serial: {
    members: "here `hosts: [kvm-01, kvm-02]`",
    servers: "here `hosts: [kvm-01, kvm-02]`",
    nodes: "here `hosts: [kvm-01, kvm-02]`",
  },
  // The ports of the ensemble.
  quorum_port: {
    port: "here `client_port: 2181`",
    clientPort: "here `client_port: 2181`",
    peer_port: "here `quorum_port: 2888`",
    leader_port: "here `election_port: 3888`",
    hosts: "here `mesh: { ensemble: GROUP }`",
    servers: "here `mesh: { ensemble: GROUP }`",
  },
  // The haproxy step.
  retry_on: {
    timeout: "here `timeout_connect: 1s`, `timeout_client: 30s` and `timeout_server: 30s`",
    timeouts: "here `timeout_connect: 1s`, `timeout_client: 30s` and `timeout_server: 30s`",
    nbthread: "here a line of `global`: `global: [nbthread 4]`",
    log: "here a line of `global`: `global: [log /dev/log local1 notice]`",
    option: "here a line of `defaults`: `defaults: [option http-server-close]`",
    options: "here a line of `defaults`: `defaults: [option http-server-close]`",
    frontend: "here `mesh: { services: … }` of the inventory, of which each has a front end",
    frontends: "here `mesh: { services: … }` of the inventory, of which each has a front end",
    backend: "here `mesh: { services: … }` of the inventory, of which each has a back end",
    backends: "here `mesh: { services: … }` of the inventory, of which each has a back end",
    listen: "here `mesh: { services: … }` of the inventory",
    bind: "here `bind` of a service in `mesh: { services: … }` of the inventory",
    port: "here `port` of a service in `mesh: { services: … }` of the inventory",
    balance: "here `balance` of a service in `mesh: { services: … }` of the inventory",
    mode: "here `mode` of a service in `mesh: { services: … }` of the inventory",
    ssl: "here `bind_options: ssl crt FILE` of a service in `mesh: { services: … }` of the inventory",
    config: "meshctl writes haproxy.cfg: lines of your own stand in `global:`, `defaults:` and `sections:`",
    template: "meshctl writes haproxy.cfg: lines of your own stand in `global:`, `defaults:` and `sections:`",
    user: "HAProxy runs as haproxy, always: leave it out",
    version: "Debian's HAProxy is installed: leave it out",
  },
  // A file of the step files.
  owner: {
    template: "meshctl has no templates: `src: FILE`, or `content: TEXT`",
    source: "here `src: FILE`",
    dest: "here the path stands before the map: `/etc/app.conf: { src: app.conf }`",
    path: "here the path stands before the map: `/etc/app.conf: { src: app.conf }`",
    text: "here `content: TEXT`",
  },
  // A unit of the step files.
  on_change: {
    state: "here `running: true`",
    enable: "here `enabled: true`",
    started: "here `running: true`",
    restart: "here `on_change: restart`",
  },
  // What a host registers.
  server_options: {
    path: "here `path` of the service in `mesh: { services: … }`",
    host: "a service is registered at the host's `address`: leave it out",
    address: "a service is registered at the host's `address`: leave it out",
  },
  // A member of the ensemble.
  data_log_dir: {
    version: "Debian's ZooKeeper is installed: leave it out",
    servers: "here `mesh: { ensemble: GROUP }` of the inventory",
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
    timeout: "here `timeout: { server: … }` of the service; with fail_fast a check has 250 ms",
    retries: "here `check: { fall: 3 }`",
    method: "here `check: { http: GET /health }`",
    command: "HAProxy asks over the network: `check: { http: GET /health }`, or `{ tcp: true }`",
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
    host: "here `servers: [{ host: …, port: … }]`, `dns: { names: […] }`, or a `path` where backends register",
    hosts:
      "here `servers: [{ host: …, port: … }]`, `dns: { names: […] }`, or a `path` where backends register",
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
  // The top of a playbook.
  plays: {
    hosts: "here in an item of `plays: [{ hosts: all, steps: { sysctl: {} } }]`",
    tasks: "here `plays: [{ hosts: all, steps: { sysctl: {} } }]`",
    roles: "here `plays: [{ hosts: all, steps: { sysctl: {} } }]`",
    steps: "here in an item of `plays: [{ hosts: all, steps: { sysctl: {} } }]`",
    vars: "here a step's parameters stand below its name",
    name: "a playbook has no name: make it a comment",
  },
  // A play.
  optional: {
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

/** Modules of Ansible's, and where what they do is said here. */
const MODULES: Readonly<Record<string, string>> = {
  ...named(
    ["apt", "package", "yum", "dnf", "pip", "gem"],
    "`files: { packages: [NAME] }` installs Debian packages",
  ),
  ...named(
    ["copy", "template", "file", "lineinfile"],
    "`files: { files: { /etc/app.conf: { src: app.conf } } }` writes files",
  ),
  ...named(
    ["service", "systemd", "unit"],
    "`files: { units: { app.service: { enabled: true, running: true } } }` starts units",
  ),
  ...named(
    ["shell", "command", "script", "raw"],
    "`before:` and `after:` of a play or a step run commands around a change",
  ),
  ...named(["synapse", "proxy"], "Synapse is the step `watcher`"),
  ...named(["nerve"], "Nerve is the step `registrar`"),
  ...named(["zk", "zookeeperd"], "the step is `zookeeper`"),
  ...named(["mariadb", "database", "postgresql", "postgres"], "the step `mysql` sets up MariaDB and MySQL"),
  ...named(["ufw", "iptables", "nftables", "firewalld"], "the step `firewall` closes ZooKeeper's ports"),
  ...named(["ping", "setup", "debug", "assert"], "the step `preflight` looks at hosts and changes nothing"),
};

function named(names: readonly string[], words: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, words]));
}

/** Where what a module of Ansible's does is said here; undefined where nothing is known. */
export function stepHere(name: string): string | undefined {
  const plain = name.replace(/^ansible\.builtin\./, "");
  return Object.hasOwn(MODULES, plain) ? MODULES[plain] : undefined;
}
