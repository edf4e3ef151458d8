import { expect, it } from "vitest";
import { ArtefactStore } from "../../src/engine/artefacts.ts";
import { ChangeFailed } from "../../src/engine/change-failed.ts";

it("a folder for artefacts that cannot be used fails the host's change before anything is built", async () => {
  const store = new ArtefactStore("/dev/null/artefacts", { proxy: undefined, caCertificates: undefined });
  const build = { file: new URL(import.meta.url), args: [], timeoutMs: 1 };
  const got = store.get({ key: "k", buildHost: "a", buildPackages: [], build }, () => {
    throw new Error("the build host was asked for");
  });
  await expect(got).rejects.toBeInstanceOf(ChangeFailed);
  await expect(got).rejects.toThrow("cannot be kept on this machine, in /dev/null/artefacts: ENOTDIR");
});
