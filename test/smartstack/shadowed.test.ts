import { expect, it } from "vitest";
import { Reader } from "../../src/reader/reader.ts";
import { lookAtShadows, shadowFindings } from "../../src/smartstack/shadowed.ts";
import { tellOf } from "../reader/told-host.ts";

const LOCAL = "/usr/local/lib/site_ruby";
const UNIT = "meshctl-watcher.service";

function reader(...names: readonly string[]): Reader {
  const files = Object.fromEntries(names.map((name) => [`${LOCAL}/3.1.0/${name}`, ""]));
  return new Reader(async (question) => {
    const [name, path] = question;
    // A folder's own folders are none of a told host's files.
    if (name === "list" && path === LOCAL)
      return {
        is: "value",
        value: ["3.1.0", "directory", "root:root", "directory"].map((each) => Buffer.from(each)),
      };
    return tellOf({
      files: { ...files, "/usr/lib/ruby/3.1.0/json.rb": "", "/usr/lib/ruby/3.1.0/bundler.rb": "" },
    })(question);
  });
}

it("a file that Ruby finds before its own is told, whoever may have started with it", async () => {
  const found = await lookAtShadows(reader("json.rb", "facter.rb", "bundler.rb", "rubygems.rb"));
  expect(found.map(({ path }) => path)).toEqual([`${LOCAL}/3.1.0/json.rb`]);
  const files = [{ path: `${LOCAL}/3.1.0/json.rb`, changed: 50 }];
  const later = shadowFindings(UNIT, files, 40);
  expect(later.blocked).toEqual([expect.stringContaining(`${UNIT} has not been started with it yet`)]);
  const before = shadowFindings(UNIT, files, 60);
  expect([before.blocked, before.warnings]).toEqual([
    [],
    [expect.stringContaining("json.rb instead of its own")],
  ]);
});

it("what Ruby has none of by that name is nobody's business", async () => {
  expect(await lookAtShadows(reader("facter.rb", "puppet.rb"))).toEqual([]);
});
