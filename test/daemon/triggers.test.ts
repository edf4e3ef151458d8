import { expect, it } from "vitest";
import { endingsOf, restartersOf } from "../../src/daemon/endings.ts";
import { type Trigger, timesOf } from "../../src/daemon/triggers.ts";

it.each([
  ["{ OnCalendar=*-*-* *:*:00 ; next_elapse=n/a }", 1440],
  ["{ OnCalendar=*-*-* *:00/5:00 ; next_elapse=n/a }", 288],
  ["{ OnCalendar=Mon..Fri *-*-* 08..17:00,30:00 ; next_elapse=n/a }", 20],
  ["{ OnCalendar=*-*-* 00/12:00:00 ; next_elapse=n/a }", 2],
  ["{ OnCalendar=Sun *-*-* 03:10:00 ; next_elapse=n/a }", 1],
  ["{ OnUnitActiveUSec=5min ; next_elapse=n/a }", 288],
  ["{ OnBootUSec=15min ; next_elapse=n/a }", 0],
])("%s is %i times a day", (shown, times) => {
  expect(timesOf(shown)).toBe(times);
});

const line = (text: string, by = "tidy.service") => ({ path: "/etc/tidy", line: 3, text, by });
const judged = (text: string, by?: string, ...triggers: Trigger[]) =>
  endingsOf([line(text, by)], "haproxy.service", undefined, new Map([["tidy.service", triggers]]));
const told = (words: string) => ({ blocked: [], warnings: [expect.stringContaining(words)] });
const NOTHING = { blocked: [], warnings: [] };
const RESTART = "/bin/systemctl restart haproxy";

it("a restart by a timer or a path is told by how often it comes", () => {
  const often = { name: "tidy.timer", timesADay: 288 };
  expect(judged(RESTART, undefined, often)).toEqual(
    told("/etc/tidy:3 restarts haproxy.service 288 times a day (tidy.timer starts tidy.service)"),
  );
  const path = { name: "tidy.path", timesADay: undefined };
  expect(judged(RESTART, undefined, path)).toEqual(told("whenever tidy.path finds what it waits for"));
  expect(judged('RUN+="/bin/systemctl restart haproxy"', "udev")).toEqual(told("udev applies it"));
});

it("a restart every night, at boot or when a check fails is not", () => {
  expect(judged(RESTART, undefined, { name: "tidy.timer", timesADay: 1 })).toEqual(NOTHING);
  expect(judged(RESTART)).toEqual(NOTHING);
  const often = { name: "tidy.timer", timesADay: 288 };
  expect(judged("curl -sf localhost || systemctl restart haproxy", undefined, often)).toEqual(NOTHING);
  expect(judged("/bin/systemctl reload-or-restart haproxy", undefined, often)).toEqual(NOTHING);
});

it("only of units that restart it is asked what starts them", () => {
  const lines = [
    line(RESTART),
    line("systemctl restart nginx", "other.service"),
    line(RESTART, "cron"),
    line("/bin/systemctl reload-or-restart zookeeper", "zk.service"),
  ];
  expect(restartersOf(lines, "haproxy.service")).toEqual(["tidy.service"]);
  expect(restartersOf(lines, "zookeeper.service")).toEqual(["zk.service"]);
});
