import { describe, expect, it } from "vitest";
import { type Kept, planPutBack } from "../../src/engine/kept.ts";
import { haproxy } from "../../src/steps/haproxy/index.ts";

const RUN = "20261122-190312-4f2a";
const PATH = "/etc/haproxy/haproxy.cfg";

/** A run that adopted haproxy.cfg, on a host where it has this digest now. */
function adopted(present: string): Kept {
  const entry = { path: PATH, step: "haproxy", wrote: "aa", before: "aa", known: "-" };
  return {
    runs: new Map([[RUN, [entry]]]),
    files: new Map([[PATH, { path: PATH, before: "theirs", now: "ours", present }]]),
  };
}

describe("a file that a run adopted", () => {
  it("does not go back by itself: the sentence names the copy and the command", () => {
    const plan = planPutBack(adopted("bb"), RUN, haproxy, undefined);
    expect(plan.is).toBe("refused");
    expect("because" in plan && plan.because).toMatch(
      new RegExp(`^${PATH} was adopted.* cp -p .*/runs/${RUN}/before${PATH}'? '?${PATH}`),
    );
  });

  it("needs nothing while its new writer has not written it", () => {
    expect(planPutBack(adopted("aa"), RUN, haproxy, undefined)).toEqual({ is: "nothing" });
  });
});
