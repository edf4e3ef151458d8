import { eventually, mustRun } from "../../e2e/backends.ts";
import { sh, type Trap } from "../trap.ts";

const show = (property: string) => `systemctl show -P ${property} haproxy`;

const trap: Trap = {
  title: "it dies again and again, and each time lives longer than ten seconds",
  steps: "haproxy,watcher",
  plant: async ({ host }) => {
    // The lives of a service whose process is killed by hand, each longer than what never came up.
    for (let life = 1; life <= 3; life++) {
      const age = () => mustRun(host, `ps -o etimes= -p "$(${show("MainPID")})" || echo 0`);
      await eventually(`life ${life} of HAProxy`, age, (seconds) => Number(seconds) >= 21, 40_000);
      await mustRun(host, `kill -KILL "$(${show("MainPID")})"`);
      await eventually(
        `start ${life} of HAProxy`,
        () => mustRun(host, show("NRestarts")),
        (text) => Number(text) >= life,
      );
    }
    const age = () => mustRun(host, `ps -o etimes= -p "$(${show("MainPID")})" || echo 0`);
    await eventually("a HAProxy that is no newborn", age, (seconds) => Number(seconds) >= 11, 40_000);
  },
  told: [{ setting: "running", verdict: "not-in-force", because: /running for \d+ s after 3 restarts/ }],
  outcome: { is: "refused", code: 5, because: /after 3 restarts/ },
  clear: sh("systemctl restart haproxy"),
};
export default trap;
