import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadFiles } from "../../src/playbook/load-files.ts";
import { steps as registry } from "../../src/steps/registry.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const inventoryFile = join(root, "inventories/example.yaml");
const concerns = readdirSync(join(root, "playbooks")).filter((file) => file !== "site.yaml");

/** Step and host → parameters. */
async function asked(playbook: string, inventory = inventoryFile): Promise<Map<string, unknown>> {
  const playbookFile = join(root, "playbooks", playbook);
  const { job } = await loadFiles({ inventoryFile: inventory, playbookFile }, registry);
  const steps = job.plays.flatMap((play) => play.steps);
  return new Map(
    steps.flatMap(({ step, parameters }) =>
      [...parameters].map(([host, values]) => [`${step.name} on ${host}`, values] as const),
    ),
  );
}

describe("the files that come with meshctl", () => {
  it("have one playbook for each step of the whole job", async () => {
    const steps = new Set([...(await asked("site.yaml")).keys()].map((key) => `${key.split(" ")[0]}.yaml`));
    expect([...steps].sort()).toEqual([...concerns].sort());
  });

  it.each(concerns)("ask in %s alone for what site.yaml asks for", async (playbook) => {
    const alone = await asked(playbook);
    const whole = await asked("site.yaml");
    const step = playbook.replace(".yaml", "");
    expect(alone).toEqual(new Map([...whole].filter(([key]) => key.startsWith(`${step} on `))));
    expect(alone.size).toBeGreaterThan(0);
  });

  it("have an example in which a host's own value wins over its group's", async () => {
    const parameters = await asked("site.yaml");
    expect(parameters.get("haproxy on app-01")).toMatchObject({ maxconn: 50_000 });
    expect(parameters.get("haproxy on app-02")).toMatchObject({ maxconn: 20_000 });
  });

  it.each([
    ["seed.yaml", ["user-api"]],
    ["http-mesh.yaml", ["accounts", "orders", "assets", "push"]],
    ["databases-and-queues.yaml", ["db-writer", "db-readers", "sessions", "jobs", "api"]],
    ["imported.yaml", ["queue", "shop"]],
    ["without-zookeeper.yaml", ["api", "db-writer", "cache"]],
  ])("have in %s a mesh that is valid", async (name, services) => {
    const files = {
      inventoryFile: join(root, "inventories", name),
      playbookFile: join(root, "playbooks/site.yaml"),
    };
    const { inventory } = await loadFiles(files, registry);
    expect(inventory.mesh.services.map((service) => service.name)).toEqual(services);
  });

  it("have an inventory for the lab that lacks nothing but the lab's own files", async () => {
    const folder = mkdtempSync(join(tmpdir(), "meshctl-lab-yaml-"));
    try {
      const text = readFileSync(join(root, "inventories/lab.yaml"), "utf8");
      writeFileSync(join(folder, "lab.yaml"), text.replaceAll("/run/meshctl-lab/demo", folder));
      writeFileSync(join(folder, "ca.pem"), "-----BEGIN CERTIFICATE-----\n");
      const parameters = await asked("site.yaml", join(folder, "lab.yaml"));
      expect(parameters.get("haproxy on kvm-03")).toMatchObject({ maxconn: 9000 });
      expect(parameters.get("preflight on kvm-01")).toMatchObject({
        virtualization: ["kvm", "none", "systemd-nspawn"],
      });
      expect(parameters.get("mysql on kvm-03")).toMatchObject({ bufferPoolSize: { bytes: 268_435_456 } });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
