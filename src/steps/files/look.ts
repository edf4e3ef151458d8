import { lookAtUnits } from "../../daemon/look-at-units.ts";
import { readFileFact } from "../../evidence/read-file.ts";
import type { Answer } from "../../reader/answer.ts";
import type { Entry, Reader } from "../../reader/reader.ts";
import { holdsSecret, revealContent } from "../../secret.ts";
import type { FilesDesired } from "./desired.ts";
import type { FilesFacts } from "./facts.ts";
import { BEFORE, FAILED, LOADED, PASSED } from "./paths.ts";

/** The files, the ways to them, the units and what the last change left behind. Throws NotRead. */
export async function lookAtFiles(reader: Reader, desired: FilesDesired): Promise<FilesFacts> {
  const entries = new Map<string, Promise<Answer<readonly Entry[]>>>();
  const [files, ways, units, before, loaded, passed, failed] = await Promise.all([
    Promise.all(
      desired.files.map(async ({ path, content }) => {
        const wish = { wanted: revealContent(content), mayBePackaged: true, isSecret: holdsSecret(content) };
        return [path, await readFileFact(reader, path, wish)] as const;
      }),
    ),
    Promise.all(desired.files.map(async ({ path }) => [path, await wayTo(reader, path, entries)] as const)),
    lookAtUnits(
      reader,
      desired.units.map(({ name }) => name),
    ),
    reader.text(BEFORE),
    reader.text(LOADED),
    reader.text(PASSED),
    reader.text(FAILED),
  ]);
  return {
    files: new Map(files),
    ways: new Map(ways.flatMap(([path, way]) => (way === undefined ? [] : [[path, way]]))),
    ...{ units, before, loaded, passed, failed, desired },
  };
}

/** The first name on the way to a path that is a link of another user's than root. */
async function wayTo(
  reader: Reader,
  path: string,
  known: Map<string, Promise<Answer<readonly Entry[]>>>,
): Promise<{ link: string; owner: string } | { unread: string } | undefined> {
  const parts = path.split("/").slice(1);
  const answers = await Promise.all(
    parts.map(async (name, index) => {
      const directory = `/${parts.slice(0, index).join("/")}`;
      const place = `${directory}/${name}`.replace("//", "/");
      const asked = known.get(place) ?? reader.list(directory, `^${name.replace(/[^A-Za-z0-9_]/g, "\\$&")}$`);
      known.set(place, asked);
      return { place, answer: await asked };
    }),
  );
  for (const { place, answer } of answers) {
    if (answer.is === "absent") return undefined;
    if (answer.is === "unreadable") return { unread: `${place}: ${answer.because}` };
    const entry = answer.value.find(({ name }) => place.endsWith(`/${name}`));
    if (entry === undefined) return undefined;
    const [owner = ""] = entry.owner.split(":");
    if (entry.kind === "link" && owner !== "root") return { link: place, owner };
  }
  return undefined;
}
