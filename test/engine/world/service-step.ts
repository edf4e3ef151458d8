import { z } from "zod";
import type { Change, Command } from "../../../src/contract/change.ts";
import type { Health, Step } from "../../../src/contract/step.ts";
import { assessFile, type FileFact } from "../../../src/evidence/file.ts";
import { readFileFact } from "../../../src/evidence/read-file.ts";
import { everyone } from "../../../src/waves.ts";
import { textAt, World } from "./world.ts";

interface Desired {
  readonly directory: string;
  readonly want: string;
}

interface Facts {
  readonly file: FileFact;
  readonly state: string;
  readonly live: string;
}

type ServiceStep = Step<unknown, Desired, Facts>;

const file = (name: string) => new URL(`./${name}.sh`, import.meta.url);
const owner = `${process.getuid!()}:${process.getgid!()}`;
const serve = (directory: string): Command => {
  return { kind: "script", file: file("serve"), args: [directory], timeoutMs: 5_000 };
};

/** A step whose service runs with one file, `config` in the host's folder, which is to hold `want`. */
export function serviceStep(want: string, changed: Partial<ServiceStep> = {}): ServiceStep {
  return {
    name: "service",
    title: "A service",
    parameters: z.unknown(),
    desired: (_, host) => ({ directory: host.address, want }),
    claims: () => ({}),
    async look(reader, { directory }) {
      const [config, state, live] = await Promise.all([
        readFileFact(reader, `${directory}/config`),
        textAt(reader, `${directory}/state`),
        textAt(reader, `${directory}/live`),
      ]);
      return { file: config, state, live };
    },
    assess({ desired, facts, host }) {
      const { path } = facts.file;
      const wanted = { path, content: [desired.want], mode: "0644", owner };
      // The owner is shown by name, and who runs the tests may be anybody.
      const { agrees, write } = assessFile({ ...facts.file, owner }, wanted, host.manifest, true);
      const isOpen = !agrees || facts.live !== desired.want || facts.state !== "up";
      const commands = agrees ? [] : [write];
      const activate = [serve(desired.directory)];
      const change: Change = { id: "settings", why: "it differs", commands, activate };
      return {
        readings: [
          {
            setting: "the value",
            want: desired.want,
            onDisk: { is: "read", value: facts.file.content ?? "", source: path },
            inForce:
              facts.state === "changing"
                ? { is: "unreadable", source: "the service", because: "PID 7 is still activating" }
                : { is: "read", value: facts.state === "up" ? facts.live : "down", source: "the service" },
            closedBy: isOpen ? { change: change.id } : undefined,
          },
        ],
        changes: isOpen ? [change] : [],
      };
    },
    service: {
      health({ state }): Health {
        if (state === "up") return { is: "healthy" };
        return state === "down"
          ? { is: "broken", because: "the service is down" }
          : { is: "undecided", because: "PID 7 is still activating" };
      },
      activate: ({ file: { path } }) => [serve(path.replace(/\/config$/, ""))],
    },
    needs: "self",
    next: everyone,
    settle: { deadlineMs: 100, stableMs: 0 },
    ...changed,
  };
}

/** Hosts whose service runs with a file that says "old". */
export function serving(...hosts: string[]): World {
  const world = new World(...hosts);
  for (const host of hosts) {
    for (const name of ["config", "live"]) world.put(host, name, "old");
    world.put(host, "state", "up\n");
  }
  return world;
}
