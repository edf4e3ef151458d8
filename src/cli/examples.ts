/** Command lines to begin with, by command; a "#" begins what the line does. Each parses: test/cli/help.test.ts. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  init: [
    "meshctl init                                # asks for everything",
    "meshctl init prod.yaml --from-ssh-config 'kvm-*'",
    "meshctl init prod.yaml --yes --hosts 'kvm-[01:03],db=ops@10.0.0.21'",
    "meshctl init prod.yaml --yes --from-ansible hosts.ini --no-look",
    "terraform output -json | meshctl init prod.yaml --yes --from-terraform -",
  ],
  provision: [
    "meshctl provision -i prod.yaml              # asks before it changes anything",
    "meshctl provision -i prod.yaml -l @failed",
    "meshctl provision -i prod.yaml --yes --serial 1,25% --lock-wait 15m",
  ],
  plan: [
    "meshctl plan -i prod.yaml",
    "meshctl plan -i prod.yaml -l 'proxies,!kvm-03' --steps haproxy,watcher",
    "meshctl plan -i prod.yaml --json --no-diff  # exit code 2: changes",
  ],
  verify: [
    "meshctl verify -i prod.yaml",
    "meshctl verify -i prod.yaml --explain '*fin_timeout' -l kvm-01",
    "meshctl verify -i prod.yaml --junit verify.xml --html verify.html",
    "meshctl verify -i prod.yaml --shard 2/8 --json  # a part of eight: see join",
  ],
  join: [
    "meshctl join shard-1.xml shard-2.xml -o verify.xml",
    "meshctl join shard-1.json shard-2.json      # one summary with one exit code",
  ],
  status: [
    "meshctl status -i prod.yaml",
    "meshctl status -i prod.yaml --watch 5 -l proxies --html mesh.html",
  ],
  lab: [
    "meshctl lab up 3                            # as root, on Debian",
    "meshctl lab demo                            # a mesh and a reroute",
    "meshctl lab down",
  ],
  probe: ["meshctl probe -i prod.yaml", "meshctl probe user-api -i prod.yaml -l kvm-01"],
  restore: [
    "meshctl restore -i prod.yaml                # lists the runs that hosts keep",
    "meshctl restore 20261122-190312-4f2a9c0d71e3 -i prod.yaml -l kvm-01",
  ],
  reboot: ["meshctl reboot -i prod.yaml", "meshctl reboot -i prod.yaml -l proxies --max-fail 0 --yes"],
  runs: ["meshctl runs", "meshctl runs 20261122-190312-4f2a9c0d71e3"],
  lock: [
    'meshctl lock "disk swap" -i prod.yaml -l kvm-02',
    "meshctl lock -i prod.yaml                   # who locked what",
  ],
  unlock: ["meshctl unlock -i prod.yaml -l kvm-02"],
  validate: [
    "meshctl validate -i prod.yaml",
    "meshctl validate -i prod.yaml -p playbooks/site.yaml --no-references",
  ],
  import: [
    "meshctl import --from kvm-[01:03] --user ops -o prod.yaml",
    "meshctl import synapse.conf.json nerve.conf.json -o prod.yaml",
  ],
  render: [
    "meshctl render kvm-01 -i prod.yaml",
    "meshctl render kvm-01 --file /etc/haproxy/haproxy.cfg --os trixie",
  ],
  hosts: [
    "meshctl hosts -i prod.yaml",
    "meshctl hosts kvm-01 -i prod.yaml           # how it is reached, and why",
  ],
  facts: ["meshctl facts -i prod.yaml", "meshctl facts zookeeper -i prod.yaml --json"],
  exec: [
    "meshctl exec all -i prod.yaml -- uptime",
    "meshctl exec proxies -- 'ss -s | head -n 2'",
    "meshctl exec zookeeper --json -- systemctl is-active zookeeper",
  ],
  schema: ["meshctl schema inventory >inventory.schema.json"],
  completion: [
    "source <(meshctl completion bash)           # in ~/.bashrc",
    "source <(meshctl completion zsh)            # in ~/.zshrc, behind compinit",
    "meshctl completion fish >~/.config/fish/completions/meshctl.fish",
  ],
};

/** The section of a command's help; undefined where it has none. */
export function examplesOf(command: string): string | undefined {
  const lines = EXAMPLES[command];
  return lines && `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

/** The first of a command's lines, without what it does. */
export function exampleOf(command: string): string | undefined {
  return EXAMPLES[command]?.[0]?.replace(/ +#.*/, "");
}
