import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lab, startLab } from "../lab/lab.ts";
import { mustRun } from "./backends.ts";
import { meshctl } from "./meshctl.ts";

let lab: Lab;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "meshctl-init-"));
  lab = await startLab({ hosts: 2 });
});
afterAll(async () => {
  await lab?.down();
  await rm(folder, { recursive: true });
});

const init = (file: string, hosts: readonly string[]) =>
  meshctl([
    ...["init", file, "--yes", "--hosts", hosts.join(","), "--services", "user-api", "--user", "ops"],
    ...["--identity-file", lab.identityFile, "--known-hosts", lab.knownHostsFile],
  ]);

describe("a first inventory", () => {
  it("comes of a look at hosts that are named by their addresses, and leads to a plan", async () => {
    const [first, second] = lab.hosts;
    // What listens where the service would is somebody's, until the host ends.
    await mustRun(
      second!,
      "systemd-run --quiet --unit=somebody perl -MIO::Socket::INET -e 'push @ARGV, IO::Socket::INET->new(LocalPort => 8080, Listen => 1) || die; sleep'",
    );
    await mustRun(second!, "until ss -ltn | grep -q ':8080 '; do sleep 0.1; done");
    const file = join(folder, "prod.yaml");

    const written = await init(file, [first!.address, second!.address]);
    expect(written.code, written.stderr).toBe(0);
    expect(written.stdout).toContain(`Type next: meshctl plan -i ${file}`);
    const text = await readFile(file, "utf8");
    expect(text).toContain(`${first!.name}: { address: ${first!.address}, zookeeper: { id: 1 } }`);
    expect(text).toContain("port: 8081 # free on every proxy host");
    expect(text).toMatch(/systemd-nspawn \(not KVM\), .* ports in use: 22 sshd, 8080 perl/);

    expect((await meshctl(["validate", "-i", file])).code).toBe(0);
    expect((await meshctl(["plan", "-i", file, "--no-diff"])).code).toBe(2);
    expect((await init(file, [first!.address])).code).toBe(3);
  });

  it("has hosts that do not answer, and says so", async () => {
    const file = join(folder, "some.yaml");
    const first = lab.hosts[0]!.address;
    const { code, stderr } = await init(file, [first, `gone=${first.replace(/\d+$/, "99")}`]);
    expect(code).toBe(5);
    expect(stderr).toContain("gone: not looked at: ");
    expect((await meshctl(["validate", "-i", file])).code).toBe(0);
  });
});
