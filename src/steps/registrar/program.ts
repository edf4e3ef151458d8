import { NERVE_GEMS } from "../../smartstack/locked-gems.ts";
import { type Program, unitPath } from "../../smartstack/program.ts";
import {
  CREDENTIALS,
  NERVE_CONFIG,
  NODE_RECORDER,
  PROGRAM_DIRECTORY,
  REGISTRAR_UNIT,
  REGISTRAR_USER,
  START_RECORD,
} from "./paths.ts";

export const NERVE: Program = {
  title: "Nerve",
  gems: NERVE_GEMS,
  directory: PROGRAM_DIRECTORY,
  user: REGISTRAR_USER,
  home: "/nonexistent",
  unit: REGISTRAR_UNIT,
  companions: [],
  startRecord: START_RECORD,
  startedWith: [NERVE_CONFIG, NODE_RECORDER, CREDENTIALS, unitPath(REGISTRAR_UNIT)],
};
