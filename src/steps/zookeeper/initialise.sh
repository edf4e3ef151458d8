# shellcheck shell=sh
# initialise.sh DIRECTORY: makes the data directory of a member that may be empty, as zkServer-initialize.sh does.
# The mark says so to ZooKeeper and to the unit, and is gone once there is a snapshot.

main() {
  install -d -m 0750 -o zookeeper -g zookeeper -- "$1" "$1/version-2" &&
    install -m 0640 -o zookeeper -g zookeeper -- /dev/null "$1/initialize"
}

main "$@"
