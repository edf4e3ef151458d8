import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { RECORD_START } from "../../../src/smartstack/record-start.ts";
import { PASSWORD } from "./world.ts";

const RECORDER = resolve(import.meta.dirname, "../../../src/steps/registrar/record-nodes.rb");
const hasRuby = spawnSync("ruby", ["--version"]).status === 0;

/** What of Nerve and its gems the recorder meets. The client fails as zk does: with what it was given, also in the cause. */
const NERVE = `
module Zookeeper
  module ACLs
    ACL = Struct.new(:perms, :id, keyword_init: true)
    module Constants
      ZOO_PERM_ALL = 31
      ZOO_PERM_READ = 1
      ZOO_PERM_CREATE = 4
      ZOO_AUTH_IDS = :auth
      ZOO_ANYONE_ID_UNSAFE = :anyone
    end
  end
end

module Nerve
  class Reporter
    class Zookeeper
      def initialize(service)
        @zk = Client.new
      end

      def report_up
        zk_save
      end
    end
  end
end

class ConnectionLoss < StandardError
  def initialize(one, another)
    super("inputs: #{one} #{another}")
  end
end

class Client
  def session_id
    1
  end

  def add_auth(options)
    raise ArgumentError, "args: #{options.inspect}"
  rescue ArgumentError
    raise ConnectionLoss.new(options.inspect, "again")
  end
end
`;

describe.runIf(hasRuby)("what is loaded before Nerve", () => {
  it("tells that ZooKeeper did not take the account, and not which one", () => {
    const directory = mkdtempSync(join(tmpdir(), "meshctl-nerve-"));
    mkdirSync(join(directory, "nerve/reporter"), { recursive: true });
    writeFileSync(join(directory, "nerve.rb"), NERVE);
    writeFileSync(join(directory, "nerve/reporter/zookeeper.rb"), "");
    const account = join(directory, "account");
    writeFileSync(account, `secret=meshctl:${PASSWORD}\n`);
    const program = 'Thread.new { Nerve::Reporter::Zookeeper.new("name" => "user-api").report_up }.join';
    const { stdout, stderr, status } = spawnSync("ruby", ["-I", directory, "-r", RECORDER, "-e", program], {
      encoding: "utf8",
      env: { ...process.env, MESHCTL_NODES: join(directory, "nodes"), MESHCTL_ZOOKEEPER_AUTH: account },
    });
    expect(status).toBe(1);
    expect(stderr).toContain(`ZooKeeper did not take the account in ${account}: ConnectionLoss`);
    expect(stdout + stderr).not.toContain(PASSWORD);
  });
});

describe("the record of a start", () => {
  it("is root's alone, for it tells the sum of a password", () => {
    const directory = mkdtempSync(join(tmpdir(), "meshctl-start-"));
    const [record, account] = [join(directory, "run/started"), join(directory, "account")];
    writeFileSync(account, "secret\n");
    const { status } = spawnSync("sh", [RECORD_START.pathname, record, account], {
      env: { ...process.env, INVOCATION_ID: "abc" },
    });
    expect(status).toBe(0);
    expect(readFileSync(record, "utf8")).toMatch(/^invocation abc\n[0-9a-f]{64} {2}\/.*account\n$/);
    expect((statSync(record).mode & 0o777).toString(8)).toBe("600");
    expect((statSync(join(directory, "run")).mode & 0o777).toString(8)).toBe("755");
  });
});
