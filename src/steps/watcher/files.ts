import { renderHaproxyConfig } from "../../mesh/haproxy-config.ts";
import { descriptionOf } from "../../mesh/haproxy-settings.ts";
import { scriptText } from "../../script-text.ts";
import { ownFile as file, type ProgramFile, unitPath } from "../../smartstack/program.ts";
import { RECORD_START } from "../../smartstack/record-start.ts";
import { renderedProgramFiles } from "../../smartstack/rendered-files.ts";
import type { Machine, RenderedFile } from "../../step.ts";
import type { WatcherDesired } from "./desired.ts";
import { haproxyFrame } from "./haproxy-frame.ts";
import {
  HAPROXY_CONFIG,
  HAPROXY_FRAME,
  INSTALLER,
  INSTALLER_PATH_UNIT,
  INSTALLER_UNIT,
  START_RECORDER,
  SYNAPSE_CONFIG,
  SYNAPSE_PATCHES,
  WATCHER_UNIT,
} from "./paths.ts";
import { SYNAPSE } from "./program.ts";
import { renderSynapseConfig } from "./synapse-config.ts";
import { installerPathUnit, installerUnit, watcherUnit } from "./units.ts";

/** Every file of the step, in the order they are written: the units last, when all they start is there. */
export function watcherFiles(desired: WatcherDesired, key: string): readonly ProgramFile[] {
  return [
    file(INSTALLER, scriptText(new URL("./install-haproxy-config.sh", import.meta.url)), "0755"),
    file(START_RECORDER, scriptText(RECORD_START), "0755"),
    file(SYNAPSE_PATCHES, scriptText(new URL("./synapse-patches.rb", import.meta.url))),
    file(HAPROXY_FRAME, haproxyFrame(desired.settings)),
    file(SYNAPSE_CONFIG, renderSynapseConfig(desired)),
    file(unitPath(INSTALLER_UNIT), installerUnit()),
    file(unitPath(INSTALLER_PATH_UNIT), installerPathUnit()),
    file(unitPath(WATCHER_UNIT), watcherUnit(key)),
  ];
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
              `backend ${name}, for each server that ZooKeeper lists: server NAME HOST:PORT ${serverOptions}`,
          ),
      ],
    },
  ];
}
