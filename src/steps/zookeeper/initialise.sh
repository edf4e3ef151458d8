# shellcheck shell=sh
# initialise.sh DIRECTORY [LOGS]: makes the data directory of a member that may be empty, as zkServer-initialize.sh does,
# and the one of its transaction logs where that is another.
# The mark says so to ZooKeeper and to the unit, and is gone once there is a snapshot. Behind keeper.sh: what is
# ZooKeeper's user's to change is changed as this user, whatever he linked to where.

main() {
  own=$(id -u zookeeper):$(id -g zookeeper) || exit
  for directory in "$@"; do
    make_ready
  done
  find_keeper "$1/version-2"
  # shellcheck disable=SC2016 # the keeper's shell expands it
  as_keeper sh -c 'umask 027; rm -f -- "$1/initialize" && : >"$1/initialize"' sh "$1" || refuse "$1"
}

# refuse DIRECTORY
refuse() {
  echo "zookeeper cannot make $1 ready: it and version-2 in it must be zookeeper's own (on the host: ls -ld $1 $1/version-2; chown -R -h zookeeper:zookeeper $1)"
  exit 1
}

# make_ready: $directory and version-2 in it, zookeeper's own.
make_ready() {
  find_keeper "$directory/version-2"
  if [ -z "$keeper" ]; then
    # All the way is root's, who made it all: only now is it given away, what is inside first.
    mkdir -p -- "$directory" && target=$(readlink -f -- "$directory") || exit
    for made in "$target/version-2" "$target"; do
      mkdir -p -- "$made" && chown -h zookeeper:zookeeper -- "$made" && chmod 0750 -- "$made" || exit
    done
    # What was found out before is no longer so.
    forget_keepers
    find_keeper "$directory/version-2"
  fi
  if [ "${keeper%:*}" = 65534 ]; then
    # shellcheck disable=SC2154 # find_keeper's
    echo "$keeper_directory can be written by its group or by everybody, who then decide what $directory is: chmod go-w $keeper_directory, or keep the data elsewhere"
    exit 1
  fi
  if [ "$keeper" != "$own" ]; then
    echo "${keeper_directory-} belongs to the user with the id ${keeper%:*} and not to zookeeper, who is to work in it: chown zookeeper:zookeeper ${keeper_directory-}"
    exit 1
  fi
  # What root left there empty makes room; a link stays and counts for where it leads.
  # shellcheck disable=SC2016 # the keeper's shell expands it
  as_keeper sh -c '
    umask 027
    for made in "$1" "$1/version-2"; do
      [ -O "$made" ] || rmdir -- "$made"
      mkdir -p -- "$made" && [ -O "$made" ] || exit
    done
  ' sh "$directory" || refuse "$directory"
}

main "$@"
