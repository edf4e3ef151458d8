import type { RenderedFile } from "../../contract/change.ts";
import type { Machine } from "../../contract/host.ts";
import { scriptText } from "../../script-text.ts";
import { ownFile, type ProgramFile, secretFile, unitPath } from "../../smartstack/program.ts";
import { RECORD_START } from "../../smartstack/record-start.ts";
import { renderedProgramFiles } from "../../smartstack/rendered-files.ts";
import type { RegistrarDesired } from "./desired.ts";
import { renderNerveConfig } from "./nerve-config.ts";
import {
  CREDENTIALS,
  NERVE_CONFIG,
  NODE_RECORDER,
  REGISTRAR_UNIT,
  REGISTRAR_USER,
  START_RECORDER,
} from "./paths.ts";
import { NERVE } from "./program.ts";
import { registrarUnit } from "./unit.ts";

/** Every file of the step, in the order they are written: the unit last, when all it starts is there. */
export function registrarFiles(desired: RegistrarDesired, key: string): readonly ProgramFile[] {
  const { auth } = desired;
  return [
    ownFile(START_RECORDER, scriptText(RECORD_START), "0755"),
    ownFile(NODE_RECORDER, scriptText(new URL("./record-nodes.rb", import.meta.url))),
    ownFile(NERVE_CONFIG, renderNerveConfig(desired)),
    ...(auth === undefined ? [] : [secretFile(CREDENTIALS, auth.file, REGISTRAR_USER)]),
    ownFile(unitPath(REGISTRAR_UNIT), registrarUnit(key, auth !== undefined)),
  ];
}

/** The step's files on a bare host. */
export function renderedFiles(desired: RegistrarDesired, machine: Machine): readonly RenderedFile[] {
  return renderedProgramFiles(NERVE, machine, (key) => registrarFiles(desired, key));
}
