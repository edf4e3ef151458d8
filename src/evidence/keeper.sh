# shellcheck shell=sh
# Sent before what reads or writes files as root. Whoever can write a directory decides where a path through it leads:
# root follows a path only as far as root alone decides, and what lies behind that is done as the user who decides.

KEEPER_NEWLINE='
'
# Directories that root alone can write, a line each.
KEEPER_ROOTS=""

# forget_keepers: behind what gives a directory to somebody else.
forget_keepers() {
  KEEPER_ROOTS=""
}

# find_keeper PATH: follows an absolute path as the kernel would. Sets $keeper to "" when root alone decides where it
# leads, and $real to that place, which need not exist. Else sets $keeper to UID:GID of the user who decides,
# $keeper_directory to the first directory that is this user's, and $real to the path from there on, not followed.
find_keeper() {
  keeper="" keeper_directory="" real="" keeper_rest=${1#/} keeper_links=0
  while [ -n "$keeper_rest" ]; do
    keeper_part=${keeper_rest%%/*}
    case $keeper_rest in
      */*) keeper_rest=${keeper_rest#*/} ;;
      *) keeper_rest="" ;;
    esac
    case $keeper_part in
      "" | .) continue ;;
      ..)
        real=${real%/*}
        continue
        ;;
    esac
    if ! is_roots "${real:-/}" "$keeper_part"; then
      # shellcheck disable=SC2034 # for guard.sh
      keeper_directory=${real:-/}
      real=$real/$keeper_part${keeper_rest:+/$keeper_rest}
      return
    fi
    if [ -L "$real/$keeper_part" ] && [ "$keeper_links" -lt 40 ]; then
      keeper_links=$((keeper_links + 1))
      keeper_leads=$(readlink -- "$real/$keeper_part")
      case $keeper_leads in /*) real="" ;; esac
      keeper_rest=$keeper_leads${keeper_rest:+/$keeper_rest}
    else
      real=$real/$keeper_part
    fi
  done
}

# is_roots DIRECTORY NAME: whether root alone decides what NAME in DIRECTORY is. Else sets $keeper. Group 50 is staff,
# which Debian lets write /usr/local and with it the programs that root runs.
is_roots() {
  case $KEEPER_NEWLINE$KEEPER_ROOTS in *"$KEEPER_NEWLINE$1$KEEPER_NEWLINE"*) return 0 ;; esac
  # One that is not there yet is its parent's matter.
  keeper_stat=$(stat -c '%u %g %a' -- "$1" 2>/dev/null) || return 0
  keeper_uid=${keeper_stat%% *}
  keeper_mode=${keeper_stat##* }
  keeper_gid=${keeper_stat#* }
  keeper_gid=${keeper_gid%% *}
  if [ "$keeper_uid" != 0 ] && [ ! -O "$1" ]; then
    name_keeper "$keeper_uid"
    return 1
  fi
  keeper_writers=""
  case $keeper_mode in *[2367]) keeper_writers=others ;; esac
  case $keeper_mode/$keeper_gid in
    *[2367]?/0 | *[2367]?/50) ;;
    *[2367]?/*) [ -G "$1" ] || keeper_writers=group ;;
  esac
  if [ -z "$keeper_writers" ]; then
    KEEPER_ROOTS=$KEEPER_ROOTS$1$KEEPER_NEWLINE
    return 0
  fi
  # In /tmp and its like nobody can replace what is somebody else's.
  case $keeper_mode in
    [1357]???)
      keeper_uid=$(stat -c %u -- "$1/$2" 2>/dev/null) || keeper_uid=65534
      case $keeper_uid in 0 | "$(id -u)") return 0 ;; esac
      name_keeper "$keeper_uid"
      return 1
      ;;
  esac
  name_keeper 65534
  return 1
}

# name_keeper UID: with the group that the user has by himself, not one that a directory lends him.
name_keeper() {
  keeper_entry=$(getent passwd "$1")
  keeper_entry=${keeper_entry#*:*:*:}
  keeper_entry=${keeper_entry%%:*}
  keeper=$1:${keeper_entry:-65534}
}

# as_keeper COMMAND...: behind find_keeper. A keeper can stop what runs as him: it gets 5 s, nothing to read and nobody's
# standard error.
as_keeper() {
  if [ -z "$keeper" ]; then
    "$@"
  else
    timeout -k 1 5 setpriv --reuid="${keeper%:*}" --regid="${keeper#*:}" --clear-groups -- "$@" </dev/null 2>/dev/null
  fi
}

# tail_text PATH: the end of a log that a service writes; nothing of what is no file.
tail_text() {
  find_keeper "$1"
  if [ -n "$keeper" ] && [ -L "$1" ]; then return 1; fi
  as_keeper test -f "$1" && as_keeper tail -c 65536 -- "$1" | tail -n 100
}
