/** Perl functions that open a session with ZooKeeper and speak in it, for programs that are sent behind them. */
export const ZOOKEEPER_SESSION = new URL("./zookeeper-session.pl", import.meta.url);
