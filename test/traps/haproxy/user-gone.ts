import { sh, type Trap } from "../trap.ts";

const because = /this host has no user haproxy, and haproxy\.service runs as that user/;

const trap: Trap = {
  title: "HAProxy's user is gone from /etc/passwd, whose number the worker that runs still has",
  steps: "haproxy",
  plant: sh("cp -p /etc/passwd /root/passwd && sed -i /^haproxy:/d /etc/passwd"),
  told: [{ setting: "readable by root", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh("mv /root/passwd /etc/passwd"),
};
export default trap;
