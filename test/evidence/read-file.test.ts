import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readFileFact } from "../../src/evidence/read-file.ts";
import { Reader } from "../../src/reader/reader.ts";
import { tellOf } from "../reader/told-host.ts";

const PATH = "/etc/zookeeper/conf_example/zoo.cfg";
const text = "# as the package brings it\n";
const md5Of = (content: string) => createHash("md5").update(content).digest("hex");
const conffile = (md5: string) => `Package: zookeeper\nConffiles:\n ${PATH} ${md5}\nDescription: a service\n`;

describe("a package's own file", () => {
  const unpacked = conffile("newconffile");
  const shipped = conffile(md5Of(text));
  const older = conffile(md5Of("of before\n"));

  it.each<[string, Record<string, string>, string]>([
    ["by dpkg's list", { status: shipped }, "default"],
    ["with another digest", { status: older }, "changed"],
    ["of no package", { status: "Package: zookeeper\n" }, "no"],
    ["of a dpkg that was cut off behind it", { status: unpacked, "updates/0004": shipped }, "default"],
    [
      "of a dpkg that has told of it twice",
      { status: older, "updates/0000": unpacked, "updates/0012": shipped },
      "default",
    ],
    ["unpacked and not configured", { status: unpacked, "updates/0004": unpacked }, "no"],
    [
      "of a dpkg that is busy with something else",
      { status: older, "updates/0004": "Package: perl\n" },
      "changed",
    ],
    // dpkg's own writing, which counts once it has its number.
    ["in an update that is not whole", { status: unpacked, "updates/tmp.i": shipped }, "no"],
  ])("%s", async (_, dpkg, packaged) => {
    const told = Object.entries(dpkg).map(([name, content]) => [`/var/lib/dpkg/${name}`, content]);
    const ask = tellOf({ files: { [PATH]: text, ...Object.fromEntries(told) } });
    expect(await readFileFact(new Reader(ask), PATH, { mayBePackaged: true })).toMatchObject({ packaged });
  });
});
