import { mustRun } from "../../e2e/backends.ts";
import { installed } from "../installed.ts";
import { sh, type Trap } from "../trap.ts";

const because =
  /table ip nat \(iptables-legacy\), chain OUTPUT, has a redirect for port 8080: requests of this host to 127\.0\.0\.1:8080 do not reach HAProxy/;

const trap: Trap = {
  title: "a rule of iptables-legacy, which nft does not list, sends what goes to a front end to another port",
  steps: "haproxy",
  plant: async ({ host, lab }) => {
    await installed({ host, lab }, "/usr/sbin/iptables-legacy", "iptables");
    await mustRun(
      host,
      "iptables-legacy -t nat -A OUTPUT -d 127.0.0.1 -p tcp --dport 8080 -j REDIRECT --to-ports 8081",
    );
  },
  told: [{ setting: "user-api front end", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh("iptables-legacy -t nat -F OUTPUT"),
};
export default trap;
