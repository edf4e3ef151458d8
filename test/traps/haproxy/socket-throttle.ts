import { tellHaproxy } from "../../e2e/haproxy.ts";
import type { Trap } from "../trap.ts";

const trap: Trap = {
  title: "HAProxy was throttled over its socket, and takes one connection at a time and one a second",
  steps: "haproxy,watcher",
  plant: ({ host }) =>
    tellHaproxy(host, "set maxconn frontend user-api 1; set rate-limit connections global 1"),
  told: [
    {
      setting: "user-api front end",
      verdict: "blocked",
      because: /front end user-api takes 1 connection at most\. Tell .*: set maxconn frontend user-api 9000$/,
    },
    {
      setting: "maxconn",
      verdict: "blocked",
      because: /takes 1 new connections a second\. Tell .*: set rate-limit connections global 0$/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /changed by hand/ },
  clear: ({ host }) =>
    tellHaproxy(host, "set maxconn frontend user-api 9000; set rate-limit connections global 0"),
};
export default trap;
