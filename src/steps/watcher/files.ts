import type { RenderedFile } from "../../contract/change.ts";
import type { Machine } from "../../contract/host.ts";
import { renderBackendPolicy } from "../../haproxy/backend-policy.ts";
import { renderHaproxyConfig } from "../../haproxy/config.ts";
import { descriptionOf } from "../../haproxy/settings.ts";
import { scriptText } from "../../script-text.ts";
import { ownFile as file, type ProgramFile, unitPath } from "../../smartstack/program.ts";
import { RECORD_START } from "../../smartstack/record-start.ts";
import { renderedProgramFiles } from "../../smartstack/rendered-files.ts";
import type { WatcherDesired } from "./desired.ts";
import { haproxyFrame } from "./haproxy-frame.ts";
import {
  ADDRESS_WRITER,
  BACKEND_POLICY,
  CANDIDATE_READER,
  DNS_ASKER,
  HAPROXY_CONFIG,
  HAPROXY_FRAME,
  HOST_RESOLVER,
  INSTALLER,
  INSTALLER_PATH_UNIT,
  INSTALLER_UNIT,
  POLICY_READER,
  SERVER_CHECK,
  SERVER_DROPPER,
  SERVER_HALVER,
  START_RECORDER,
  START_TRIER,
  SYNAPSE_CONFIG,
  SYNAPSE_PATCHES,
  WATCHER_UNIT,
  WORKER_READER,
} from "./paths.ts";
import { SYNAPSE } from "./program.ts";
import { renderSynapseConfig } from "./synapse-config.ts";
import { installerPathUnit, installerUnit, watcherUnit } from "./units.ts";

/** Every file of the step, in the order they are written: the units last, when all they start is there. */
export function watcherFiles(desired: WatcherDesired, key: string): readonly ProgramFile[] {
  return [
    // Before those that read it: a run may be cut off between any two.
    file(BACKEND_POLICY, renderBackendPolicy(desired.policy)),
    file(POLICY_READER, ownText("backend-policy.rb")),
    file(DNS_ASKER, ownText("dns-names.rb")),
    file(SERVER_CHECK, ownText("check-servers.rb")),
    file(HOST_RESOLVER, ownText("resolve-hosts.pl"), "0755"),
    file(SERVER_DROPPER, ownText("drop-refused-servers.pl"), "0755"),
    file(SERVER_HALVER, ownText("halve-new-servers.pl"), "0755"),
    file(CANDIDATE_READER, ownText("read-regular.pl"), "0755"),
    file(ADDRESS_WRITER, ownText("name-addresses.pl"), "0755"),
    file(START_TRIER, ownText("try-haproxy-start.sh"), "0755"),
    file(WORKER_READER, ownText("haproxy-worker.pl"), "0755"),
    file(INSTALLER, installerText(), "0755"),
    file(START_RECORDER, scriptText(RECORD_START), "0755"),
    file(SYNAPSE_PATCHES, ownText("synapse-patches.rb")),
    file(HAPROXY_FRAME, haproxyFrame(desired.settings)),
    file(SYNAPSE_CONFIG, renderSynapseConfig(desired)),
    file(unitPath(INSTALLER_UNIT), installerUnit()),
    file(unitPath(INSTALLER_PATH_UNIT), installerPathUnit()),
    file(unitPath(WATCHER_UNIT), watcherUnit(key)),
  ];
}

/** The installer with the functions that it shares with the engine's scripts. */
export function installerText(): string {
  installer ??= installerOnce();
  return installer;
}

/** Each host of a fleet is compared with it, and a copy for each is a tenth of what a host costs. */
let installer: string | undefined;

function installerOnce(): string {
  const shared = ["manifest", "receive"].map((name) =>
    scriptText(new URL(`../../host/${name}.sh`, import.meta.url)),
  );
  return ["#!/bin/sh", ...shared, ownText("install-haproxy-config.sh")].join("\n");
}

function ownText(name: string): string {
  return scriptText(new URL(`./${name}`, import.meta.url));
}

/** The step's files on a bare host, and what its installer makes of the first thing that Synapse writes there. */
export function renderedFiles(desired: WatcherDesired, machine: Machine): readonly RenderedFile[] {
  return [
    ...renderedProgramFiles(SYNAPSE, machine, (key) => watcherFiles(desired, key)),
    {
      path: HAPROXY_CONFIG,
      content: [renderHaproxyConfig(desired.settings, descriptionOf(desired.settings))],
      mode: "0644",
      owner: "root:root",
      notes: [
        "Synapse writes it, and the installer adds a digest of the whole to the description: this is what it means, not its layout.",
        ...desired.settings.services
          .filter(({ discovered }) => discovered)
          .map(
            ({ name, serverOptions }) =>
              `backend ${name}, for each server that ZooKeeper or DNS tells: server NAME HOST:PORT ${serverOptions}`,
          ),
      ],
    },
  ];
}
