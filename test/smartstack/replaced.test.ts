import { expect, it } from "vitest";
import { replacedUnits } from "../../src/smartstack/replaced.ts";

const said = (...units: string[]) => replacedUnits.safeParse(units).error?.issues[0]?.message;

it.each(["haproxy.service", "zookeeper.service", "mysqld.service", "mariadb.service"])(
  "a program of before is not %s, which the mesh goes on with",
  (unit) => {
    expect(said("synapse.service", unit)).toBe("is what other steps run: it would be stopped and disabled");
  },
);

it.each(["synapse.service", "haproxy-synapse.service", "nerve@app.service"])(
  "a program of before is %s",
  (unit) => {
    expect(said(unit)).toBeUndefined();
  },
);

it.each(["meshctl-watcher.service", "synapse", "-x.service"])("a program of before is not %s", (unit) => {
  expect(said(unit)).toMatch(/^expected the name of a systemd service that is not meshctl's/);
});
