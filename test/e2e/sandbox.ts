import type { LabHost } from "../lab/lab.ts";
import { mustRun } from "./backends.ts";

/** What `systemd-analyze security` may say of a unit at most: 0 is shut in altogether, 10 not at all. */
const MOST_EXPOSED: Readonly<Record<string, number>> = {
  "zookeeper.service": 2,
  "meshctl-watcher.service": 2,
  "meshctl-registrar.service": 2,
  "meshctl-haproxy-install.service": 3,
};

/** Units among these that are more exposed than they may be, or have no limit of memory or tasks, in words. */
export async function exposedUnits(host: LabHost, units: readonly string[]): Promise<readonly string[]> {
  const said = await Promise.all(
    units.map(async (unit) => {
      const table = await mustRun(host, `systemd-analyze security --no-pager ${unit}`);
      const level = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(table)?.[1] ?? "nothing");
      const limits = await mustRun(host, `systemctl show --property=MemoryMax,TasksMax ${unit}`);
      return [
        ...(level <= MOST_EXPOSED[unit]! ? [] : [`${unit}: exposure level ${level}`]),
        ...(/^(Memory|Tasks)Max=\d+$/m.test(limits) && !limits.includes("infinity")
          ? []
          : [`${unit}: ${limits.trim().replace("\n", ", ")}`]),
      ];
    }),
  );
  return said.flat();
}
