import type { AnyStep } from "../contract/step.ts";
import { filesStep } from "./files/index.ts";
import { firewall } from "./firewall/index.ts";
import { haproxy } from "./haproxy/index.ts";
import { mysql } from "./mysql/index.ts";
import { preflight } from "./preflight/index.ts";
import { registrar } from "./registrar/index.ts";
import { sysctl } from "./sysctl/index.ts";
import { watcher } from "./watcher/index.ts";
import { zookeeper } from "./zookeeper/index.ts";

const knowing: readonly AnyStep[] = [
  preflight,
  sysctl,
  firewall,
  zookeeper,
  haproxy,
  watcher,
  registrar,
  mysql,
];

const owned = new Map(
  knowing.flatMap(({ name, owns }) => (owns === undefined ? [] : [[name, owns] as const])),
);

/** Every step there is. The playbook names them; its order decides what runs first. */
export const steps: readonly AnyStep[] = [...knowing, filesStep(owned)];
