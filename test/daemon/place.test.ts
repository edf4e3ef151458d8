import { describe, expect, it } from "vitest";
import { bootPlan } from "../../src/daemon/boot.ts";
import {
  faultOfCleaning,
  faultOfMade,
  faultOfPlace,
  hiddenByUnit,
  mountsOf,
  mountUnit,
  unitsToAsk,
} from "../../src/daemon/place.ts";
import type { FstabLine, Place, PlaceMount } from "../../src/reader/reader.ts";

const ROOT = mount("1", "0", "/");

/** `isLine`: what is known of each line of fstab. */
function mount(id: string, parent: string, point: string, more: Partial<PlaceMount> = {}): PlaceMount {
  const plain = { fileSystem: "ext4", source: `/dev/sd${id}`, options: ["rw"], root: "/", isLine: [] };
  return { id, parent, point, ...plain, ...more };
}

function line(point: string, options = "defaults", spec = "/dev/sd2"): FstabLine {
  return { spec, point, type: "ext4", options: options.split(",") };
}

const DATA = { path: "/var/lib/mysql", isData: true };

function told(
  place: Partial<Place>,
  more: { waits?: string[]; units?: Record<string, string>; path?: string } = {},
) {
  const units = Object.entries(more.units ?? {}).map(([name, text]) => {
    const properties = new Map(text.split(" ").map((each) => each.split("=") as [string, string]));
    const values = new Map([...properties].map(([key, value]) => [key, [value]]));
    return [name, { is: "value", value: values }] as const;
  });
  const fault = faultOfPlace(
    { ...DATA, path: more.path ?? DATA.path },
    { realPath: more.path ?? DATA.path, fstab: [], mounts: [ROOT], ...place },
    { requiresMountsFor: more.waits ?? [], mountUnits: new Map(units) },
  );
  return fault === undefined ? "" : `${fault.is}: ${fault.because}`;
}

const ON = mount("2", "1", "/var/lib/mysql", { isLine: [true] });
const BY_HAND = mount("2", "1", "/var/lib/mysql");

describe("a place is", () => {
  it.each<[string, string | RegExp, ReturnType<typeof told>]>([
    ["the root's", "", told({})],
    ["a mount that fstab makes", "", told({ mounts: [ROOT, ON], fstab: [line("/var/lib/mysql")] })],
    [
      "a mount that fstab may make, by a name of the disk that this host does not know",
      "",
      told({ mounts: [ROOT, { ...ON, isLine: [undefined] }], fstab: [line("/var/lib/mysql")] }),
    ],
    [
      "a mount that nothing makes",
      /^fault: \/var\/lib\/mysql is a mount \(\/dev\/sd2, ext4\) .*defaults 0 2/,
      told({ mounts: [ROOT, BY_HAND] }),
    ],
    [
      "a directory that is bound by hand",
      /echo '\/srv\/new \/var\/lib\/mysql none bind 0 0' >>\/etc\/fstab/,
      told({ mounts: [ROOT, { ...BY_HAND, source: ROOT.source, root: "/srv/new" }] }),
    ],
    [
      "another disk than fstab's",
      /^fault: .*nothing makes at boot/,
      told({
        mounts: [ROOT, { ...ON, isLine: [false] }],
        fstab: [line("/var/lib/mysql", "defaults", "/dev/sd9")],
      }),
    ],
    [
      "hidden by a mount on top of fstab's",
      /^fault: .*nothing makes at boot/,
      told({
        mounts: [ROOT, ON, mount("3", "2", "/var/lib/mysql", { isLine: [false] })],
        fstab: [line("/var/lib/mysql")],
      }),
    ],
    ["noauto", /^fault: .*noauto/, told({ mounts: [ROOT, ON], fstab: [line("/var/lib/mysql", "noauto")] })],
    [
      "noauto, and the unit waits for it",
      "",
      told(
        { mounts: [ROOT, ON], fstab: [line("/var/lib/mysql", "noauto")] },
        { waits: ["/var/lib/mysql/data"] },
      ),
    ],
    [
      "an automount",
      "",
      told({
        mounts: [
          ROOT,
          mount("4", "1", "/var/lib/mysql", { fileSystem: "autofs", isLine: [false] }),
          { ...ON, parent: "4" },
        ],
        fstab: [line("/var/lib/mysql", "noauto,x-systemd.automount")],
      }),
    ],
    ["nofail", /^warning: .*nofail/, told({ mounts: [ROOT, ON], fstab: [line("/var/lib/mysql", "nofail")] })],
    [
      "a mount unit's that is enabled",
      "",
      told(
        { mounts: [ROOT, BY_HAND] },
        {
          units: {
            "var-lib-mysql.mount":
              "FragmentPath=/etc/systemd/system/var-lib-mysql.mount WantedBy=multi-user.target",
          },
        },
      ),
    ],
    [
      "a mount unit's that nothing starts",
      /systemctl enable var-lib-mysql\.mount/,
      told(
        { mounts: [ROOT, BY_HAND] },
        { units: { "var-lib-mysql.mount": "FragmentPath=/etc/systemd/system/var-lib-mysql.mount" } },
      ),
    ],
    [
      "a line's that was taken out of fstab since",
      /nothing makes at boot: echo/,
      told(
        { mounts: [ROOT, BY_HAND] },
        {
          units: {
            "var-lib-mysql.mount":
              "FragmentPath=/run/systemd/generator/x SourcePath=/etc/fstab RequiredBy=local-fs.target",
          },
        },
      ),
    ],
    [
      "a directory that is bound on itself",
      "",
      told({ mounts: [ROOT, { ...BY_HAND, source: ROOT.source, root: "/var/lib/mysql" }] }),
    ],
    [
      "in memory",
      /^fault: .*in memory/,
      told({ mounts: [ROOT, { ...ON, fileSystem: "tmpfs" }], fstab: [line("/var/lib/mysql")] }),
    ],
    [
      "below a tmpfs of systemd's",
      /^fault: .*in memory/,
      told({ mounts: [ROOT, mount("5", "1", "/run", { fileSystem: "tmpfs" })] }, { path: "/run/data" }),
    ],
    ["on ZFS, which mounts by itself", "", told({ mounts: [ROOT, { ...BY_HAND, fileSystem: "zfs" }] })],
    [
      "an overlay of memory",
      /^fault: .*in memory/,
      told({ mounts: [ROOT, { ...ON, fileSystem: "overlay", options: ["upperdir=/run/upper"] }] }),
    ],
    [
      "beneath what fstab mounts",
      /^fault: \/etc\/fstab mounts \/dev\/sd2 on \/var\/lib\/mysql at boot/,
      told({ fstab: [line("/var/lib/mysql")] }),
    ],
    ["beneath what fstab may mount", /^warning: /, told({ fstab: [line("/var/lib/mysql", "nofail")] })],
  ])("%s", (_, expected, found) => {
    if (expected === "") expect(found).toBe("");
    else expect(found).toMatch(expected);
  });

  it("on the mounts that can be seen from the root", () => {
    const hidden = mount("2", "1", "/var/lib/mysql");
    const over = mount("3", "1", "/var");
    expect(mountsOf({ mounts: [ROOT, hidden, over] }).map(({ id }) => id)).toEqual(["1", "3"]);
  });

  it("asked of its mount unit where fstab does not tell", () => {
    expect(unitsToAsk({ realPath: DATA.path, fstab: [], mounts: [ROOT, BY_HAND] })).toEqual([
      "var-lib-mysql.mount",
    ]);
    expect(unitsToAsk({ realPath: DATA.path, fstab: [line(DATA.path)], mounts: [ROOT, ON] })).toEqual([]);
    expect(mountUnit("/srv/my-data/.x")).toBe("srv-my\\x2ddata-.x.mount");
  });
});

describe("a place that systemd-tmpfiles", () => {
  const cleaning = (text: string) => ({ file: "/etc/tmpfiles.d/x.conf", line: 3, text });
  it("leaves alone stays", () => {
    expect(faultOfCleaning(DATA.path, [])).toBeUndefined();
  });

  it("deletes or alters does not stay, whatever else it sets there", () => {
    const lines = [cleaning("Z /var/lib/mysql 0700 mysql mysql"), cleaning("R! /var/lib/mysql/*")];
    expect(faultOfCleaning(DATA.path, lines)).toMatchObject({
      is: "fault",
      because: expect.stringMatching(
        /^\/etc\/tmpfiles\.d\/x\.conf:3 "R! \/var\/lib\/mysql\/\*" .*take the line out/,
      ),
    });
  });

  it("gives mode and owner may have them", () => {
    expect(faultOfCleaning(DATA.path, [cleaning("z /var/lib/mysql - mysql mysql")])).toMatchObject({
      is: "warning",
    });
  });
});

describe("a directory below /run", () => {
  const nothing = new Map<string, readonly string[]>();
  const vendor = { file: "/usr/lib/tmpfiles.d/haproxy.conf", line: 1, type: "d", instead: "" };
  it.each([
    ["is made by tmpfiles.d", "", [vendor], nothing, undefined],
    ["is made by RuntimeDirectory=", "", [], new Map([["RuntimeDirectory", ["haproxy"]]]), undefined],
    [
      "is made by a command of the unit's",
      "",
      [],
      new Map([["ExecStartPre", ["{ path=x ; argv[]=mkdir -p /var/run/haproxy }"]]]),
      undefined,
    ],
    ["is made by nothing", /no line of tmpfiles\.d is about it/, [], nothing, undefined],
    ["is only emptied", /no line of tmpfiles\.d/, [{ ...vendor, type: "e" }], nothing, undefined],
    [
      "is of a file that is masked",
      /rm \/etc\/tmpfiles\.d\/haproxy\.conf/,
      [{ ...vendor, instead: "/etc/tmpfiles.d/haproxy.conf" }],
      nothing,
      undefined,
    ],
    ["is of a service that is masked", /unmask/, [vendor], nothing, new Map([["LoadState", ["masked"]]])],
  ] as const)("%s", (_, expected, lines, unit, tmpfiles) => {
    const fault = faultOfMade("/run/haproxy", lines, unit, tmpfiles);
    if (expected === "") expect(fault).toBeUndefined();
    else expect(fault).toMatchObject({ is: "fault", because: expect.stringMatching(expected) });
  });
});

describe("a mount unit of the next boot", () => {
  const found = (units: readonly string[], more: Partial<Place> = {}) =>
    hiddenByUnit(
      "/var/lib/mysql",
      { realPath: "/var/lib/mysql", fstab: [], mounts: [ROOT], ...more },
      bootPlan([["multi-user.target"], ...units.map((name) => [name, "local-fs.target", "running", "", ""])]),
    );

  it.each(["var-lib-mysql.mount", "var-lib.mount", "var-lib-mysql.automount"])(
    "%s hides what is there",
    (name) => {
      expect(found([name])).toMatchObject({
        is: "fault",
        because: expect.stringContaining(`${name} mounts something on`),
      });
    },
  );

  it("hides nothing where it is mounted, elsewhere, or fstab's", () => {
    expect(found(["var-lib-mysql.mount"], { mounts: [ROOT, ON] })).toBeUndefined();
    expect(
      found(["var-lib-mysql-backup.mount", "tmp.mount", "dev-hugepages.mount", "-.mount"]),
    ).toBeUndefined();
    expect(found(["var-lib-mysql.mount"], { fstab: [line("/var/lib/mysql")] })).toBeUndefined();
  });
});

it("a drop-in of what makes directories at boot is told", () => {
  const lines = [{ file: "/usr/lib/tmpfiles.d/haproxy.conf", line: 1, type: "d", instead: "" }];
  const tmpfiles = (paths: string) =>
    new Map([
      ["LoadState", ["loaded"]],
      ["DropInPaths", [paths]],
    ]);
  const fault = (paths: string) => faultOfMade("/run/haproxy", lines, new Map(), tmpfiles(paths));
  expect(fault("/etc/systemd/system/systemd-tmpfiles-setup.service.d/x.conf")).toMatchObject({
    is: "warning",
  });
  expect(fault("/usr/lib/systemd/system/service.d/10-timeout.conf")).toBeUndefined();
  expect(fault("")).toBeUndefined();
});
