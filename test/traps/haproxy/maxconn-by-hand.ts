import { tellHaproxy } from "../../e2e/haproxy.ts";
import type { Trap } from "../trap.ts";

const trap: Trap = {
  title: "somebody lowered HAProxy's maxconn over its socket; no limit of open files did",
  steps: "haproxy,watcher",
  plant: ({ host }) => tellHaproxy(host, "set maxconn global 100"),
  told: [
    {
      setting: "maxconn",
      verdict: "blocked",
      because: /changed by hand: HAProxy takes 100 connections at most\. Tell .*: set maxconn global 9000$/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /set maxconn global 9000/ },
  clear: ({ host }) => tellHaproxy(host, "set maxconn global 9000"),
};
export default trap;
