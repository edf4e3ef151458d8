import { Command } from "commander";
import { parallel, positiveInteger, withFileOptions, withVerbosity } from "../options.ts";
import type { ProbeFlags } from "../probe-command.ts";

export const probe = withVerbosity(withFileOptions(new Command("probe")))
  .description(
    "prove from end to end that the proxies follow ZooKeeper, with a canary that leaves nothing behind",
  )
  .argument("[service]", "default: every service that is found in ZooKeeper")
  .option("-l, --limit <pattern>", "only these proxies")
  .addOption(parallel("hosts worked on at once"))
  .option("--canary-host <host>", "where the canary runs (default: the first host of the mesh that answers)")
  .option("--port <n>", "port of the canary on that host; every proxy must reach it", positiveInteger, 65_100)
  .option("--timeout <seconds>", "how long a proxy may take", positiveInteger, 20)
  .addHelpText(
    "after",
    `
Registers a canary beside the service's backends, waits until every proxy
serves it, calls it through each proxy, takes it away, waits until it is gone,
and prints how long that took on each proxy.

No request of your clients reaches the canary: it is registered with weight 0,
so HAProxy gives it only the request that asks for it by the cookie
"meshctl-probe". A TCP service knows no cookies: there the proof ends with
HAProxy's health check of the canary. Its node is ephemeral and it listens only
as long as this command's connection lasts. HAProxy's worker keeps it in
maintenance until its next reload, like every backend that has left.

A service with no backend registered is not probed: the canary would be alone,
and when_empty: keep_last would keep it. Exit code 2 when a proxy does not
follow or nothing could be probed, 4 and 5 when hosts could not be reached.`,
  )
  .action(async (service: string | undefined, flags: ProbeFlags) => {
    const { probeCommand } = await import("../probe-command.ts");
    process.exitCode = await probeCommand(service, flags);
  });
