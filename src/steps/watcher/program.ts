import { SYNAPSE_GEMS } from "../../smartstack/locked-gems.ts";
import { type Program, unitPath } from "../../smartstack/program.ts";
import {
  BACKEND_POLICY,
  DNS_ASKER,
  INSTALLER_PATH_UNIT,
  POLICY_READER,
  PROGRAM_DIRECTORY,
  START_RECORD,
  STATE_DIRECTORY,
  SYNAPSE_CONFIG,
  SYNAPSE_PATCHES,
  WATCHER_UNIT,
  WATCHER_USER,
} from "./paths.ts";

export const SYNAPSE: Program = {
  title: "Synapse",
  gems: SYNAPSE_GEMS,
  directory: PROGRAM_DIRECTORY,
  user: WATCHER_USER,
  home: STATE_DIRECTORY,
  unit: WATCHER_UNIT,
  companions: [INSTALLER_PATH_UNIT],
  startRecord: START_RECORD,
  startedWith: [
    SYNAPSE_CONFIG,
    SYNAPSE_PATCHES,
    POLICY_READER,
    DNS_ASKER,
    BACKEND_POLICY,
    unitPath(WATCHER_UNIT),
  ],
};
