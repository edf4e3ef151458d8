import { mustRun } from "../../e2e/backends.ts";
import { sh, squat, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "another program has a service's port",
  steps: "haproxy,watcher",
  plant: async ({ host }) => {
    await mustRun(host, "systemctl stop haproxy");
    await squat(host, "127.0.0.1", 8080);
  },
  told: [
    { setting: "user-api front end", verdict: "not-in-force", because: /perl listens on 127\.0\.0\.1:8080/ },
  ],
  outcome: { is: "refused", code: 5, because: /perl/ },
  clear: sh("systemctl stop squatter"),
};
export default trap;
