import { mustRun } from "../../e2e/backends.ts";
import { installed } from "../installed.ts";
import { sh, type Trap } from "../trap.ts";

const because = /table ip trap, chain in, sends port 3888 from [\d.]+-[\d.]+ elsewhere: let them in there/;

const trap: Trap = {
  title: "a rule of nftables sends what other members say at an election to another port",
  steps: "firewall",
  plant: async ({ host, lab }) => {
    await installed({ host, lab }, "/usr/sbin/nft", "nftables");
    await mustRun(
      host,
      `nft add table ip trap
nft add chain ip trap in '{ type nat hook prerouting priority -100; }'
nft add rule ip trap in tcp dport 3888 counter redirect to :9999`,
    );
  },
  told: [{ setting: "firewall", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh("nft delete table ip trap"),
};
export default trap;
