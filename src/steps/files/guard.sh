# shellcheck shell=sh
# guard.sh [PATH USER:GROUP]...: fails where a file must not be put at a path, before any is: where its owner is nobody, or
# where a link stands on the way that another user than root can turn. Behind keeper.sh.

main() {
  while [ $# -gt 0 ]; do
    find_keeper "$1"
    if [ -n "$keeper" ]; then
      refuse_links "$1"
    fi
    user=${2%%:*} group=${2#*:}
    if ! getent passwd "$user" >/dev/null; then
      echo "$1 is to belong to the user $user, and the host has none"
      exit 1
    fi
    if ! getent group "$group" >/dev/null; then
      echo "$1 is to belong to the group $group, and the host has none"
      exit 1
    fi
    shift 2
  done
}

# refuse_links PATH: behind find_keeper. Behind the first directory that is somebody else's no name may be a link.
refuse_links() {
  walked=${keeper_directory-}
  walked=${walked%/}
  rest=${real-}
  rest=${rest#"$walked"/}
  while [ -n "$rest" ]; do
    walked=$walked/${rest%%/*}
    case $rest in
      */*) rest=${rest#*/} ;;
      *) rest="" ;;
    esac
    if [ -L "$walked" ]; then
      echo "$1: $walked is a link, and the user with the id ${keeper%:*} can lead root elsewhere with it"
      exit 1
    fi
  done
}

main "$@"
