/** One gem of a locked set. */
export interface Gem {
  readonly name: string;
  readonly version: string;
  /** Of the .gem file as the registry serves it. */
  readonly sha256: string;
}

/** The gems that one program loads; the first is the program itself. */
export type GemSet = readonly [Gem, ...Gem[]];

/** Every gem that meshctl puts on a host, compared before anything is built. */
const LOCKED = {
  synapse: ["0.16.2", "7ca82bc5e0f7ce286cb2a2ab777ab32af378062b9bca1942d4bfd0d173dd13a0"],
  nerve: ["0.8.1", "0808a25f3259d85fd2f6870eb863abd9c7f1b9cfc66ce810f4bc4977c350f35c"],
  zk: ["1.10.0", "e7151a665d6f5974a8d569d1b7a28c7c0110e4679b8f834fa54429dd4cbb569f"],
  hashdiff: ["0.2.3", "e3b61e7c19235619296300cd7e8aa4e6ac7d257446bc4e47742761a5f177a6c4"],
  "dogstatsd-ruby": ["3.3.0", "231ef1ca0df63546ca42fa269eb8f6beb3894c3c6256e86e9350e26ce5530bdf"],
  bunny: ["1.1.0", "fe311120db1edd02920c90ef8782eff233904d75890c66ebdc2bdae88180b619"],
  "amq-protocol": ["1.9.2", "79e018cb1a3522967525973ae04d40884620e8d4adca02afeb710f00643a84be"],
  zookeeper: ["1.5.5", "6fcf3b2ac40158968bead2425abf9ca225db673014aba0f4a4a3b057d73d88c1"],
} as const satisfies Record<string, readonly [version: string, sha256: string]>;

function locked(name: keyof typeof LOCKED): Gem {
  const [version, sha256] = LOCKED[name];
  return { name, version, sha256 };
}

/**
 * All of them are one build for both programs. zookeeper is the only one that compiles: last, so that a wrong checksum
 * of any other costs no build.
 */
export const GEMS: readonly Gem[] = Object.keys(LOCKED).map((name) => locked(name as keyof typeof LOCKED));

/**
 * Everything Synapse needs to follow ZooKeeper. `gem install synapse` alone resolves to pins that do not compile on
 * today's Debian (zk-ruby/zookeeper#85), so these are installed without their dependencies; aws-sdk, docker-api and
 * logging are loaded only by watchers that are not used here.
 */
export const SYNAPSE_GEMS: GemSet = [
  locked("synapse"),
  locked("zk"),
  locked("hashdiff"),
  locked("dogstatsd-ruby"),
  locked("zookeeper"),
];

/** The same for Nerve, which always loads bunny and with it amq-protocol; its json is Ruby's own, its etcd not used. */
export const NERVE_GEMS: GemSet = [
  locked("nerve"),
  locked("zk"),
  locked("bunny"),
  locked("amq-protocol"),
  locked("zookeeper"),
];
