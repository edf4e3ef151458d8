import { tellHaproxy } from "../../e2e/haproxy.ts";
import type { Trap } from "../trap.ts";

const trap: Trap = {
  title: "a front end was shut down over the socket, which takes back no such order",
  steps: "haproxy,watcher",
  plant: ({ host }) => tellHaproxy(host, "shutdown frontend user-api"),
  told: [
    {
      setting: "user-api front end",
      verdict: "not-in-force",
      because: /the worker has shut the front end user-api down, and a reload brings it back/,
    },
  ],
  outcome: { is: "mended" },
};
export default trap;
