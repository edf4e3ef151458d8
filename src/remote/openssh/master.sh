# shellcheck shell=sh
# master.sh DIRECTORY ARGUMENT...: runs ssh with these arguments for as long as standard input stays open, and removes
# the directory, which was made for its socket, at the end. A meshctl that is killed takes its connections with it.

main() {
  directory=$1
  shift
  # The first ^C finishes what is under way, and needs the connection for that. ssh asks for what it needs at the terminal,
  # so it stays in the terminal's own group of processes.
  trap '' INT QUIT HUP
  exec 3<&0
  ssh "$@" </dev/null 3<&- &
  master=$!
  { cat >/dev/null <&3 && kill "$master"; } >/dev/null 2>&1 &
  exec 3<&-
  wait "$master"
  code=$?
  rm -rf -- "$directory"
  exit "$code"
}

main "$@"
