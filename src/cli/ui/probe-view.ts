import type { ChalkInstance } from "chalk";
import type { ProxyProbe, ServiceProbe } from "../../canary/prove-service.ts";
import { type Timings, timingsOf } from "../../canary/timings.ts";
import { shownData } from "../shown.ts";

/** What a probe of one service showed: each proxy, then the times of all. */
export function probeView(probe: ServiceProbe, { paint }: { readonly paint: ChalkInstance }): string {
  const { service, canary, proxies, failed, refused } = shownData(probe);
  if (refused !== undefined) return `${paint.bold(service)}  ${paint.yellow(refused)}`;
  const title = `${paint.bold(service)}  canary on ${canary.host}, ${canary.address}:${canary.port}`;
  if (failed !== undefined) return `${title}\n  ${paint.red("✗")} ${failed}`;
  const width = Math.max(...proxies.map(({ host }) => host.length));
  const rows = proxies.map((proxy) => `  ${proxyRow(proxy, width, paint)}`);
  return [title, ...rows, ...sums(proxies).map((line) => `    ${paint.dim(line)}`)].join("\n");
}

function proxyRow(
  { host, servedMs, goneMs, because }: ProxyProbe,
  width: number,
  paint: ChalkInstance,
): string {
  const words = [
    servedMs === undefined ? "" : `served after ${seconds(servedMs)}`,
    goneMs === undefined ? "" : `gone after ${seconds(goneMs)}`,
    because === undefined ? "" : paint.red(because),
  ];
  const mark = because === undefined ? paint.green("✓") : paint.red("✗");
  return `${mark} ${host.padEnd(width)}  ${words.filter((word) => word !== "").join(" · ")}`;
}

function sums(proxies: readonly ProxyProbe[]): readonly string[] {
  const line = (word: string, timings: Timings | undefined) =>
    timings === undefined
      ? []
      : [
          `${word}  min ${seconds(timings.min)} · median ${seconds(timings.median)} · max ${seconds(timings.max)}`,
        ];
  return [
    ...line("served", timingsOf(proxies.flatMap(({ servedMs }) => servedMs ?? []))),
    ...line("gone  ", timingsOf(proxies.flatMap(({ goneMs }) => goneMs ?? []))),
  ];
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
