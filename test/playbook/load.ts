import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatDiagnostic } from "../../src/inventory/diagnostic.ts";
import { InvalidFiles } from "../../src/inventory/invalid-files.ts";
import { loadFiles } from "../../src/playbook/load-files.ts";
import { fakeSteps } from "./fake-steps.ts";

const inventory = `version: 1
hosts:
  a: { address: 10.0.0.1 }
  b: { address: 10.0.0.2 }
  c: { address: 10.0.0.3 }
groups:
  zookeeper: [a, b]
  proxies: [zookeeper, c]
`;

const playbook = `version: 1
plays:
  - hosts: all
    steps: { sysctl: {} }
`;

interface Texts {
  readonly inventory?: string;
  readonly playbook?: string;
  /** Further files beside the two, or instead of them. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Names of those of the files that are inventories, in order; default: i.yaml. */
  readonly inventories?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  readonly noReferences?: boolean;
}

/** What `loadFiles` makes of two texts, given as i.yaml and p.yaml in a folder of their own. */
export async function load(texts: Texts) {
  const folder = mkdtempSync(join(tmpdir(), "meshctl-files-"));
  try {
    const files = {
      "i.yaml": texts.inventory ?? inventory,
      "p.yaml": texts.playbook ?? playbook,
      ...texts.files,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return await loadFiles(
      {
        inventoryFile: (texts.inventories ?? ["i.yaml"]).map((name) => join(folder, name)),
        playbookFile: join(folder, "p.yaml"),
        environment: texts.environment ?? {},
        noReferences: texts.noReferences ?? false,
      },
      fakeSteps,
    );
  } catch (error) {
    throw error instanceof InvalidFiles ? withoutFolder(error, folder) : error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function withoutFolder(error: InvalidFiles, folder: string): InvalidFiles {
  const plain = (text: string) => text.replaceAll(`${folder}/`, "");
  const diagnostics = error.diagnostics.map((each) => ({
    ...each,
    file: plain(each.file),
    message: plain(each.message),
  }));
  const shorter = new InvalidFiles(diagnostics, new Map());
  shorter.message = plain(error.message);
  return shorter;
}

/** The problems of two texts as `file:line:column path: message`; empty when they load. */
export async function problemsOf(texts: Texts): Promise<string[]> {
  try {
    await load(texts);
    return [];
  } catch (error) {
    if (error instanceof InvalidFiles) return error.diagnostics.map(formatDiagnostic);
    throw error;
  }
}
