import { expect } from "vitest";
import { eventually, mustRun } from "../../e2e/backends.ts";
import { sh, type Trap, type World } from "../trap.ts";

const starts = ({ host }: World) =>
  mustRun(host, "systemctl show -P InvocationID zookeeper haproxy meshctl-watcher; pidof haproxy");
let before = "";

const trap: Trap = {
  title: "somebody emptied /run/meshctl: meshctl's notes are gone, and all runs as wanted",
  steps: "zookeeper,haproxy,watcher",
  plant: async (world) => {
    // Whatever was planted before: what runs is younger than its files.
    await mustRun(world.host, "systemctl restart zookeeper haproxy meshctl-watcher");
    await eventually(
      "all is proven",
      async () => (await world.run("verify")).code,
      (code) => code === 0,
    );
    before = await starts(world);
    await mustRun(world.host, "rm -r /run/meshctl");
  },
  told: [
    {
      setting: "zoo.cfg",
      verdict: "proven",
      because: /zookeeper\.started is gone: .* told by the times of both/,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  after: async (world) => expect(await starts(world)).toBe(before),
  clear: sh("systemctl restart zookeeper meshctl-watcher && systemctl reload haproxy"),
};
export default trap;
