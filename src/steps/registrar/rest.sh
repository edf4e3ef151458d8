# shellcheck shell=sh
# rest.sh SECONDS PORT...: waits until nobody is connected to these ports of the host any more, so many seconds at most.

main() {
  looks=$(($1 * 5))
  shift
  ports=""
  for port in "$@"; do
    ports="${ports:+$ports or }sport = :$port"
  done
  while [ "$looks" -gt 0 ] && [ -n "$(ss -Hnt state established "( $ports )")" ]; do
    looks=$((looks - 1))
    sleep 0.2
  done
}

main "$@"
