import { sha256Of, type WantedFile } from "../../evidence/file.ts";
import type { WatcherDesired } from "./desired.ts";
import { haproxyFrame } from "./haproxy-frame.ts";
import {
  HAPROXY_FRAME,
  INSTALLER,
  INSTALLER_PATH_UNIT,
  INSTALLER_UNIT,
  KEEP_LAST,
  START_RECORDER,
  SYNAPSE_CONFIG,
  unitPath,
  WATCHER_UNIT,
} from "./paths.ts";
import { shippedScript } from "./shipped-script.ts";
import { renderSynapseConfig } from "./synapse-config.ts";
import { installerPathUnit, installerUnit, watcherUnit } from "./units.ts";

export interface WatcherFile extends WantedFile {
  readonly sha256: string;
}

/** Every file of the step, in the order they are written: the units last, when all they start is there. */
export function watcherFiles(desired: WatcherDesired, key: string): readonly WatcherFile[] {
  const file = (path: string, text: string, mode = "0644"): WatcherFile => ({
    path,
    content: [text],
    sha256: sha256Of(text),
    mode,
    owner: "root:root",
  });
  return [
    file(INSTALLER, shippedScript("install-haproxy-config.sh"), "0755"),
    file(START_RECORDER, shippedScript("record-start.sh"), "0755"),
    file(KEEP_LAST, shippedScript("keep-last.rb")),
    file(HAPROXY_FRAME, haproxyFrame(desired.settings)),
    file(SYNAPSE_CONFIG, renderSynapseConfig(desired)),
    file(unitPath(INSTALLER_UNIT), installerUnit()),
    file(unitPath(INSTALLER_PATH_UNIT), installerPathUnit()),
    file(unitPath(WATCHER_UNIT), watcherUnit(key)),
  ];
}
