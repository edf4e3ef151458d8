# shellcheck shell=sh
# check.sh STAGED ADDRESS PORT [ADDRESS PORT ...]: fails, and says why, when HAProxy would not start with the staged
# haproxy.cfg (or the one in place, when none is staged). `haproxy -c` binds no port, so ports are looked at apart.

# holds LOCAL ADDRESS: whether a listener on LOCAL keeps others from ADDRESS.
holds() {
  case $1 in
    '*' | 0.0.0.0 | '[::]') return 0 ;;
  esac
  case $2 in
    '*' | 0.0.0.0 | ::) return 0 ;;
  esac
  [ "$1" = "$2" ] || [ "$1" = "[$2]" ]
}

main() {
  config=$1/etc/haproxy/haproxy.cfg
  shift
  [ -e "$config" ] || config=/etc/haproxy/haproxy.cfg
  # Only the exit code counts: what is printed differs by version, and warnings are no failure.
  if ! said=$(haproxy -c -f "$config" 2>&1); then
    printf '%s\n' "$said"
    echo "haproxy -c refuses the configuration."
    exit 1
  fi
  held=""
  while [ "$#" -ge 2 ]; do
    address=$1 port=$2
    shift 2
    held=$held$(
      ss -Hltnp "sport = :$port" | while read -r _ _ _ local _ users; do
        case $users in *'"haproxy"'*) continue ;; esac
        holds "${local%:*}" "$address" || continue
        process=${users#*\"}
        echo "${local} is taken by ${process%%\"*}: stop it, or give the service another port."
      done
    )
  done
  if [ -n "$held" ]; then
    printf '%s\n' "$held"
    exit 1
  fi
}

main "$@"
