import { describe, expect, it } from "vitest";
import { handLock, handLockText, isReason } from "../../src/engine/hand-lock.ts";
import { HostLocks } from "../../src/engine/host-locks.ts";
import { valueStep, World } from "./world/world.ts";

describe("a host's lock", () => {
  it("keeps a second run from changing the host, and names the first", async () => {
    const world = new World("a").inShell();
    const other = new HostLocks("20261122-180000-beef", (host) => world.remote(host));
    await other.take("a");
    expect(await world.run("provision", [valueStep()])).toBe(1);
    expect(world.outcome("a")).toMatchObject({ changed: [], unproven: [] });
    expect(world.outcome("a").because).toMatch(
      /another meshctl is changing this host \(run 20261122-180000-beef by .*\); run this again.* kill \d+$/,
    );
    expect(world.read("a", "log")).toBe("");
    await other.releaseAll();
    expect(await world.run("provision", [valueStep()])).toBe(0);
  });

  it("that a host says is held by no number is told without a command", async () => {
    const said = ["busy", "$(evil)", "run", "x"].join(" ");
    const release = async () => true;
    const hold = async () => ({ firstLine: said, isHeld: true, release });
    // biome-ignore lint/suspicious/noExplicitAny: a host that lies about its lock, and does nothing else
    const locks = new HostLocks("r", () => ({ host: "a", hold }) as any);
    await expect(locks.take("a")).rejects.toThrow(/the host does not say which process that is$/);
  });

  it("that a person has put there keeps every run from changing the host, until a person takes it away", async () => {
    const world = new World("a", "b").inShell();
    expect(await handLock(world.remote("a"), "show")).toBeUndefined();
    const text = handLockText(" disk swap ");
    expect(text).toMatch(/^disk swap \(\S+ on \S+ since \d{4}-\d\d-\d\dT[\d:.]+Z\)$/);
    expect(await handLock(world.remote("a"), { set: text })).toBeUndefined();
    // The first one stays.
    expect(await handLock(world.remote("a"), { set: "another" })).toBe(text);
    expect(await world.run("provision", [valueStep()])).toBe(5);
    expect(world.outcome("a").because).toBe(
      `value: it is locked by hand: ${text}. "meshctl unlock -l a" lets runs change it again`,
    );
    expect(world.read("a", "log")).toBe("");
    expect(world.outcome("b").is).toBe("as wanted");
    expect(await world.run("verify", [valueStep()])).toBe(2);
    expect(world.events).toContainEqual({
      event: "note",
      host: "a",
      text: `it is locked by hand, and no run changes it: ${text}`,
    });
    expect(await handLock(world.remote("a"), "show")).toBe(text);
    expect(await handLock(world.remote("a"), "clear")).toBe(text);
    expect(await handLock(world.remote("a"), "clear")).toBeUndefined();
    expect(await world.run("provision", [valueStep()])).toBe(0);
  });

  it.each(["", "  ", "two\nlines", "tab\there", "x".repeat(201), "\u202eevil"])(
    "takes no reason like %j",
    (reason) => {
      expect(isReason(reason)).toBe(false);
    },
  );

  it("is waited for where that is asked for, and its holder named meanwhile", async () => {
    const world = new World("a").inShell();
    const other = new HostLocks("20261122-180000-beef", (host) => world.remote(host));
    await other.take("a");
    const running = world.run("provision", [valueStep()], { lockWaitMs: 120_000 });
    const isWaiting = () => world.events.find(({ event }) => event === "waiting");
    while (isWaiting() === undefined) await new Promise((done) => setTimeout(done, 20));
    expect(isWaiting()).toMatchObject({
      host: "a",
      because: expect.stringMatching(
        /^another meshctl is changing this host: run 20261122-180000-beef by .* since /,
      ),
    });
    expect(world.read("a", "log")).toBe("");
    await other.releaseAll();
    expect(await running).toBe(0);
  });

  it("is given up when the time is over", async () => {
    const world = new World("a").inShell();
    const other = new HostLocks("20261122-180000-beef", (host) => world.remote(host));
    await other.take("a");
    expect(await world.run("provision", [valueStep()], { lockWaitMs: 100 })).toBe(1);
    expect(world.outcome("a").because).toMatch(/another meshctl is changing this host .* run this again/);
    await other.releaseAll();
  });

  it("is taken once, however many ask", async () => {
    const world = new World("a").inShell();
    const locks = new HostLocks("r", (host) => world.remote(host));
    await Promise.all([locks.take("a"), locks.take("a"), locks.take("a")]);
    await locks.releaseAll();
  });

  it("is free again for the next run when one has ended", async () => {
    const world = new World("a").inShell();
    for (const name of ["one", "two"]) {
      const locks = new HostLocks(name, (host) => world.remote(host));
      await locks.take("a");
      await locks.releaseAll();
    }
  });

  it("is not given while a change that lost its connection is still under way", async () => {
    const world = new World("a").inShell();
    const remote = world.remote("a");
    const underWay = remote.run(
      "mkdir -p /run/meshctl; exec 8<>/run/meshctl/change; flock 8; : >$HOME/began; until [ -e $HOME/end ]; do sleep 0.05; done",
      { during: "an earlier change", timeoutMs: 60_000 },
    );
    while (!world.has("a", "began")) await new Promise((done) => setTimeout(done, 20));
    const locks = new HostLocks("r", (host) => world.remote(host));
    await expect(locks.take("a")).rejects.toThrow(/still under way/);
    world.put("a", "end");
    await underWay;
    await locks.take("a");
    await locks.releaseAll();
  });
});
