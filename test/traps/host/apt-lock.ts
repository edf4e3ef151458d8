import { installTimeoutMs } from "../../e2e/backends.ts";
import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "another apt holds the lock while a package is missing",
  steps: "haproxy,watcher",
  plant: sh(
    `DEBIAN_FRONTEND=noninteractive apt-get -q -y remove haproxy && systemd-run --quiet --unit=other-apt perl -e 'use Fcntl; open L, ">", "/var/lib/dpkg/lock-frontend" or die; fcntl L, F_SETLK, pack("s s l! l! i", F_WRLCK, 0, 0, 0, 0) or die; sleep 12'`,
    { timeoutMs: installTimeoutMs },
  ),
  told: [{ setting: "version", verdict: "missing", because: /not installed/ }],
  outcome: { is: "mended" },
};
export default trap;
