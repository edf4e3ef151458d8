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

/** What a key of another tool is called here, as a clause; undefined of a key that nobody is known for. */
export function wordHere(key: string): string | undefined {
  return Object.hasOwn(WORDS, key) ? WORDS[key] : undefined;
}
