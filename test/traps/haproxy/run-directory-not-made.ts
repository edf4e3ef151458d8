import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "nothing makes /run/haproxy at boot: the line of tmpfiles.d is masked",
  steps: "haproxy",
  plant: sh("ln -s /dev/null /etc/tmpfiles.d/haproxy.conf"),
  told: [
    {
      setting: "directories at boot",
      verdict: "blocked",
      because:
        /^nothing makes \/run\/haproxy at boot: \/etc\/tmpfiles\.d\/haproxy\.conf stands in for .*: rm /,
    },
  ],
  outcome: { is: "refused", code: 5, because: /nothing makes \/run\/haproxy at boot/ },
  clear: sh("rm /etc/tmpfiles.d/haproxy.conf"),
};
export default trap;
