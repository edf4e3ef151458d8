import { hasWatcher } from "../../contract/mesh.ts";
import type { Step } from "../../contract/step.ts";
import { openFilesNeeded } from "../../haproxy/open-files.ts";
import { type HaproxyParameters, haproxyParameters } from "../../haproxy/parameters.ts";
import { boundAddresses } from "../../haproxy/settings.ts";
import { everyone } from "../../waves.ts";
import { assess } from "./assess.ts";
import { clashesOf } from "./clashes.ts";
import { type HaproxyDesired, haproxyDesired } from "./desired.ts";
import type { HaproxyFacts } from "./facts.ts";
import { haproxyFiles } from "./files.ts";
import { lookAtHaproxy } from "./look.ts";
import { CONFIG, UNIT } from "./paths.ts";
import { service, vitals } from "./service.ts";

/**
 * The local proxy: a front end and a back end for every service of the mesh, and the proof that the running worker
 * is the one with this configuration. Where a watcher follows ZooKeeper or DNS, the watcher writes haproxy.cfg.
 */
export const haproxy: Step<HaproxyParameters, HaproxyDesired, HaproxyFacts> = {
  name: "haproxy",
  title: "Local proxy (HAProxy)",
  parameters: haproxyParameters,

  problems(parameters, host, { mesh }) {
    const clashes = clashesOf(parameters, mesh);
    if (!hasWatcher(mesh) || mesh.proxies.includes(host.name)) return clashes;
    const message = `${host.name} is not in mesh.proxies, and no other host gets the services that ZooKeeper tells of`;
    return [...clashes, { path: [], message }];
  },

  desired: haproxyDesired,

  owns: { paths: [CONFIG], units: [UNIT] },

  claims: ({ parameters, settings }, host) => ({
    packages: ["haproxy"],
    ports: boundAddresses(settings).map(({ kind, name, address, port }) => ({
      port,
      address,
      process: "haproxy",
      what: kind === "frontend" ? `HAProxy's front end of ${name}` : `HAProxy's ${kind} ${name}`,
    })),
    openFiles: [
      {
        count: openFilesNeeded(parameters.maxconn, host.cpus),
        what: `HAProxy's maxconn ${parameters.maxconn}`,
      },
    ],
  }),

  files({ desired }) {
    const { config, dropIn, loadRecorder } = haproxyFiles(desired);
    return [...(desired.watched ? [] : [config]), loadRecorder, dropIn];
  },

  look: lookAtHaproxy,

  assess: ({ desired, facts, host, claims }) => assess(desired, facts, host, claims.has("watcher")),

  needs: "self",
  alone: true,
  next: everyone,
  service,
  vitals,
  // HAProxy 2.2 takes two seconds to find out that a reload failed; 3.2 starts, and may die in the next three.
  settle: { deadlineMs: 20_000, stableMs: 3_000 },
};
