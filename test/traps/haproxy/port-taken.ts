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
    {
      setting: "user-api front end",
      verdict: "blocked",
      because: /perl that haproxy\.service did not start, takes requests on 127\.0\.0\.1:8080: stop it/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /perl/ },
  clear: sh("systemctl stop squatter"),
};
export default trap;
