/** One gem of a locked set. */
export interface Gem {
  readonly name: string;
  readonly version: string;
  /** Of the .gem file as the registry serves it. */
  readonly sha256: string;
  /** Of what is put on hosts of its Ruby files: of lines as sha256sum prints them, sorted by path. See archive.ts. */
  readonly files: string;
}

/** The gems that one program loads; the first is the program itself. */
export type GemSet = readonly [Gem, ...Gem[]];

/** Every gem that meshctl puts on a host, compared before anything is built. */
const LOCKED = {
  synapse: [
    "0.16.2",
    "7ca82bc5e0f7ce286cb2a2ab777ab32af378062b9bca1942d4bfd0d173dd13a0",
    "f0418837c744eef92b467ec678549d90ffec7fa5157fa08465482e62d860313f",
  ],
  nerve: [
    "0.8.1",
    "0808a25f3259d85fd2f6870eb863abd9c7f1b9cfc66ce810f4bc4977c350f35c",
    "d25ba0192b8aa1882082ad468689dbb2ad3604dbb272d1abb8ae9eeccfbb7664",
  ],
  zk: [
    "1.10.0",
    "e7151a665d6f5974a8d569d1b7a28c7c0110e4679b8f834fa54429dd4cbb569f",
    "7b108382415045066de207c632b1524b03a23979efae05095312da701514556e",
  ],
  hashdiff: [
    "0.2.3",
    "e3b61e7c19235619296300cd7e8aa4e6ac7d257446bc4e47742761a5f177a6c4",
    "bf270f4f94c4458b11a642d96b4f8a9570cde2dcce678b5671561289e3289718",
  ],
  "dogstatsd-ruby": [
    "3.3.0",
    "231ef1ca0df63546ca42fa269eb8f6beb3894c3c6256e86e9350e26ce5530bdf",
    "16e3818912bd7c903bcfcbd37e5042513e4ff06b84037c2bdc65931e425562d4",
  ],
  bunny: [
    "1.1.0",
    "fe311120db1edd02920c90ef8782eff233904d75890c66ebdc2bdae88180b619",
    "88de50ce4de0d67871e85996a0b7942b9d79eb4ab3f724ccce2e8e454eac3e60",
  ],
  "amq-protocol": [
    "1.9.2",
    "79e018cb1a3522967525973ae04d40884620e8d4adca02afeb710f00643a84be",
    "cc65b0bd5ec22819487b1c961db15488b9a5483973a28804bd5e1881c0f75686",
  ],
  zookeeper: [
    "1.5.5",
    "6fcf3b2ac40158968bead2425abf9ca225db673014aba0f4a4a3b057d73d88c1",
    "abcb8377e9b39f65d2d4ee9af3d1157e3c64db0ebd7f4b5af5f47fc5f5a4601e",
  ],
} as const satisfies Record<string, readonly [version: string, sha256: string, files: string]>;

function locked(name: keyof typeof LOCKED): Gem {
  const [version, sha256, files] = LOCKED[name];
  return { name, version, sha256, files };
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
