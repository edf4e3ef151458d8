import { describe, expect, it } from "vitest";
import type { Change } from "../../src/contract/change.ts";
import { Ledger } from "../../src/engine/ledger.ts";

const asWanted = { is: "as wanted" } as const;

/** A change that writes a file, or only starts something. */
function change(id: string, writes = true): Change {
  return {
    id,
    why: "it differs",
    commands: writes ? [{ kind: "remove", path: `/etc/${id}` }] : [],
    activate: [],
  };
}

describe("the ledger of a run", () => {
  it("tells what was proved from what was only begun", () => {
    const ledger = new Ledger();
    ledger.begin("a", "haproxy", change("one"));
    ledger.end("a", true);
    ledger.begin("a", "haproxy", change("two"));
    expect(ledger.underWay("a")).toMatchObject({ change: "two" });
    ledger.end("a", false);
    expect(ledger.underWay("a")).toBeUndefined();
    const outcome = ledger.outcome("a", asWanted, 3);
    expect(outcome).toMatchObject({ is: "as wanted", execs: 3 });
    expect(outcome.changed).toEqual([{ step: "haproxy", change: "one", why: "it differs" }]);
    expect(outcome.unproven).toEqual([{ step: "haproxy", change: "two", why: "it differs" }]);
  });

  it("counts a step's changes as proved once it has nothing open", () => {
    const ledger = new Ledger();
    for (const step of ["haproxy", "mysql"]) {
      ledger.begin("a", step, change(step));
      ledger.end("a", false);
    }
    ledger.proveAll("a", "mysql");
    const { changed, unproven } = ledger.outcome("a", asWanted, 0);
    expect([changed, unproven]).toMatchObject([[{ change: "mysql" }], [{ change: "haproxy" }]]);
  });

  it("says of what was put back that it was: what the step wrote, and what its last change did", () => {
    const ledger = new Ledger();
    for (const made of [change("file"), change("start", false), change("restart", false)]) {
      ledger.begin("a", "haproxy", made);
      ledger.end("a", true);
    }
    ledger.putBack("a", "haproxy");
    const { changed, unproven } = ledger.outcome("a", asWanted, 0);
    expect(changed).toMatchObject([{ change: "start" }]);
    expect(unproven).toMatchObject([
      { change: "file", putBack: true },
      { change: "restart", putBack: true },
    ]);
  });

  it("keeps a host's first failure, which ends what was under way there", () => {
    const ledger = new Ledger();
    ledger.begin("a", "haproxy", change("one"));
    expect(ledger.fail("a", "no space left")).toBe(true);
    expect(ledger.fail("a", "it is gone")).toBe(false);
    expect(ledger.underWay("a")).toBeUndefined();
    expect(ledger.outcome("a", { is: "unreachable" }, 0)).toMatchObject({
      is: "failed",
      because: "no space left",
      unproven: [{ change: "one" }],
    });
    expect(ledger.outcome("b", asWanted, 0)).toMatchObject({ is: "as wanted", changed: [], unproven: [] });
  });
});
