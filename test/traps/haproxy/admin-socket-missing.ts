import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "the admin socket's file was removed: nothing can be asked over it",
  steps: "haproxy,watcher",
  plant: sh("rm /run/haproxy/admin.sock"),
  told: [
    {
      setting: "admin socket",
      verdict: "not-in-force",
      because: /what runs has nothing, not \/run\/haproxy\/admin\.sock/,
    },
    {
      step: "watcher",
      setting: "haproxy.cfg",
      verdict: "not-in-force",
      because: /does not answer on \/run\/haproxy\/admin\.sock \(No such file/,
    },
  ],
  outcome: { is: "mended" },
};
export default trap;
