import { sh, type Trap } from "../trap.ts";

const dropIn = "/etc/systemd/system/haproxy.service.d/zzz-somebody.conf";

const trap: Trap = {
  title:
    "HAProxy was started while its limit of open files was low, only warned, and shows the maxconn it lacks",
  steps: "haproxy,watcher",
  plant: sh(
    `printf '[Service]\\nLimitNOFILE=4096\\n' >${dropIn} && systemctl daemon-reload && systemctl restart haproxy; rm ${dropIn}; systemctl daemon-reload`,
  ),
  told: [
    { setting: "maxconn", verdict: "clamped", because: /what runs has \d{4}, not 9000/ },
    { setting: "open files", verdict: "not-in-force", because: /what runs has 4096, not ≥ 18\d{3}/ },
  ],
  outcome: { is: "mended" },
  // Since 2.3 it refuses to start instead: see lowered-limit.ts.
  suites: ["bullseye"],
};
export default trap;
