import { expect } from "vitest";
import type { Command, WantedFile } from "../../src/contract/change.ts";
import { apply } from "../../src/engine/apply.ts";
import { ArtefactStore } from "../../src/engine/artefacts.ts";
import { observe } from "../../src/engine/observe.ts";
import { readerOf } from "../../src/engine/readers.ts";
import type { LookRequest } from "../../src/engine/step-facts.ts";
import { sha256Of } from "../../src/evidence/file.ts";
import type { Remote } from "../../src/remote/remote.ts";
import { revealContent } from "../../src/secret.ts";
import { takenEverywhere } from "../hostile-files.ts";
import { HOSTILE } from "../hostile-values.ts";
import { questionsOf } from "../reader/questions-of.ts";

const FOLDER = "/root/hostile-files";

/** What hostile inventories and playbooks would send to a host. */
interface Sent {
  /** Probes with arguments that no probe before them had, as one look at a host would send them. */
  readonly looks: readonly (readonly LookRequest[])[];
  /** Files with content that none before them had, of the values that are commands. */
  readonly files: readonly WantedFile[];
}

/** Loads the files with every hostile value in every field that takes it; `folder` is for them. */
export async function hostileSendings(folder: string): Promise<Sent> {
  const machine = { os: { codename: "bookworm" }, architecture: "amd64", memoryBytes: 4 * 2 ** 30 };
  const known = new Set<string>();
  const isNew = (text: string) => known.size < known.add(text).size;
  const looks: LookRequest[][] = [];
  const files: WantedFile[] = [];
  const naming = new Set<string>();
  for (const value of HOSTILE) {
    const { loaded } = await takenEverywhere(folder, value, naming);
    for (const play of loaded.job.plays) {
      const look: LookRequest[] = [];
      for (const { step, parameters } of play.steps) {
        const view = loaded.inventory.hosts.get("a")!;
        const desired = step.desired(parameters.get("a"), view, loaded.inventory);
        const words = (await questionsOf(step, desired)).flat();
        if (words.filter((word) => isNew(`${step.name} ${word}`)).length > 0) look.push({ step, desired });
        // A longer name can stand on no file system (PATH_MAX is 4096, NAME_MAX 255).
        // Those whose being run would show: each file takes the host a moment.
        if (!value.includes("meshctl-pwned")) continue;
        for (const file of step.files?.({ name: "a", desired, machine }) ?? [])
          if (isNew(`${file.path} ${revealContent(file.content)}`)) files.push(file);
      }
      if (look.length > 0) looks.push(look);
    }
  }
  return { looks, files };
}

/** Has the real scripts look at a host and write to it with all of that. Every file lands below /root/hostile-files. */
export async function expectCarried({ looks, files }: Sent, remote: Remote): Promise<void> {
  for (const look of looks) {
    const seen = await observe(readerOf(remote), look);
    if (seen.is === "unseen") throw seen.error;
    for (const [step, facts] of seen.facts)
      expect([step, facts]).toEqual([step, expect.objectContaining({ is: "read" })]);
  }
  const writes = files.map(
    (file, index): Command => ({
      ...file,
      kind: "write",
      path: `${FOLDER}/${index}${file.path}`,
      owner: "root:root",
    }),
  );
  const network = { proxy: undefined, caCertificates: undefined };
  await apply(
    remote,
    { id: "hostile files", why: "a test", commands: writes, activate: [] },
    {
      run: "20261122-190312-1",
      step: "test",
      network,
      artefacts: new ArtefactStore("/nowhere", network),
      builder: async () => remote,
      alsoInstall: [],
    },
  );
  const sums = files.map(
    ({ path, content }, index) => `${sha256Of(revealContent(content))}  ${FOLDER}/${index}${path}\n`,
  );
  const checked = await remote.run("sha256sum --check --strict --quiet", {
    during: "test",
    timeoutMs: 30_000,
    stdin: sums.join(""),
  });
  expect(checked).toMatchObject({ exitCode: 0, stdout: "" });
}
