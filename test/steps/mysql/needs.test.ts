import { describe, expect, it } from "vitest";
import { needsOf } from "../../../src/steps/mysql/needs.ts";
import { parserFacts } from "../../../src/steps/mysql/parser-words.ts";

/** What of /run has to be there at boot, by what the server itself says of its options. */
function madeAtBoot(...lines: readonly string[]) {
  const { paths } = parserFacts({ is: "value", value: { exitCode: 0, lines } }, undefined);
  const { made, access } = needsOf("/usr/sbin/mariadbd", "/var/lib/mysql/", paths);
  return { made, written: access.filter(({ to }) => to === "write").at(-1)?.path };
}

it("a directory for its binary log and its PID is to be there, where it is none that it needs anyway", () => {
  const more = (...lines: readonly string[]) => {
    const { paths } = parserFacts({ is: "value", value: { exitCode: 0, lines } }, undefined);
    const { access } = needsOf("/usr/sbin/mariadbd", "/var/lib/mysql", paths);
    return access.filter(({ to, mustBeThere }) => to === "write" && mustBeThere).map(({ path }) => path);
  };
  expect(more("log-bin  /srv/log/bin", "pid-file  /srv/run/x.pid")).toEqual(["/srv/log", "/srv/run"]);
  expect(
    more("log-bin  mysql-bin", "pid-file  /run/mysqld/mysqld.pid", "log-bin  (No default value)"),
  ).toEqual([]);
});

describe("what a database server needs of /run", () => {
  it("is the directory of its PID, too, which is there while it runs and is made at boot", () => {
    const lines = ["socket  /srv/db/s.sock", "pid-file  /var/run/mysqld/mysqld.pid"];
    const { paths } = parserFacts({ is: "value", value: { exitCode: 0, lines } }, undefined);
    const { made, access } = needsOf("/usr/sbin/mariadbd", "/var/lib/mysql", paths);
    expect(made).toEqual(["/run/mysqld"]);
    expect(access.find(({ path }) => path === "/run/mysqld")).toEqual({
      path: "/run/mysqld",
      to: "write",
      mustBeThere: false,
    });
  });

  it("is the directory of its socket, which is another one from release to release", () => {
    for (const directory of ["/run/mysqld", "/run/mariadbd"])
      expect(madeAtBoot(`socket                    ${directory}/mysqld.sock`)).toEqual({
        made: [directory],
        written: directory,
      });
  });

  it("is told by its other name as well", () => {
    expect(madeAtBoot("socket  /var/run/mysqld/mysqld.sock").made).toEqual(["/run/mysqld"]);
  });

  it("is nothing of a socket that is elsewhere, or in /run itself", () => {
    expect(madeAtBoot("socket  /srv/db/s.sock")).toEqual({ made: [], written: "/srv/db" });
    expect(madeAtBoot("socket  s.sock")).toEqual({ made: [], written: "/var/lib/mysql" });
    expect(madeAtBoot("socket  /run/mysql.sock").made).toEqual([]);
  });

  it("is Debian's usual directory of a server that does not tell", () => {
    expect(madeAtBoot().made).toEqual(["/run/mysqld"]);
  });
});
