import type { WantedFile } from "../../contract/change.ts";
import { plainFile } from "../../evidence/file.ts";
import { renderHaproxyConfig } from "../../haproxy/config.ts";
import { descriptionOf } from "../../haproxy/settings.ts";
import { scriptText } from "../../script-text.ts";
import type { HaproxyDesired } from "./desired.ts";
import { renderDropIn } from "./drop-in.ts";
import { CONFIG, DROP_IN, LOAD_RECORDER } from "./paths.ts";

const RECORD_LOADED = new URL("./record-loaded.sh", import.meta.url);

/** The step's files. On a host with a watcher haproxy.cfg is not this step's to write. */
export function haproxyFiles({ settings, parameters }: HaproxyDesired): {
  readonly config: WantedFile;
  readonly dropIn: WantedFile;
  readonly loadRecorder: WantedFile;
} {
  return {
    config: plainFile(CONFIG, renderHaproxyConfig(settings, descriptionOf(settings))),
    dropIn: plainFile(DROP_IN, renderDropIn(parameters.maxconn)),
    loadRecorder: { ...plainFile(LOAD_RECORDER, scriptText(RECORD_LOADED)), mode: "0755" },
  };
}
