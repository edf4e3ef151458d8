import type { Ask, Question } from "../../src/reader/protocol.ts";
import { askRecording, keyOf, type Recording } from "../../src/reader/recording.ts";

/** What a host where every path is on its one disk, and open to everybody, says of paths; undefined of other questions. */
export function openHost([name, ...values]: Question): readonly string[] | undefined {
  switch (name) {
    case "may":
      return values.slice(3).flatMap((path) => {
        const isThere = !/\.tmp$|\/ib_|\/aria_/.test(path);
        const plain = path.replace(/\/\*$/, "");
        return isThere
          ? ["there", "rwx", "", plain, "directory", "0755", "root:root"]
          : ["absent", "", "", path, "", "", ""];
      });
    case "place":
      return [values[0]!, "0", "20", "1", "/", "ext4", "/dev/vda1", "rw", "/", ""];
    case "packages.altered":
      return ["0"];
    case "made":
      return ["/usr/lib/tmpfiles.d/package.conf", "1", "d", ""];
    case "cleans":
      return [];
    case "space":
      return ["4096", "1000000", "100000", "90000"];
    case "unit":
      // What runs is as it was started.
      if (values.includes("ControlGroup")) return [];
      if (values.includes("SupplementaryGroups")) return ["LoadState", "loaded", "User", "nobody"];
      return values[0] === "systemd-tmpfiles-setup.service" ? ["LoadState", "loaded"] : undefined;
    default:
      return undefined;
  }
}

/** As `askRecording`, of a host that says so of paths where the recording says nothing. */
export function askOpen(recording: Recording): Ask {
  const ask = askRecording(recording);
  return async (question) => {
    const fields = keyOf(question) in recording ? undefined : openHost(question);
    return fields === undefined
      ? ask(question)
      : { is: "value", value: fields.map((field) => Buffer.from(field)) };
  };
}
