#!/bin/sh
# Runs as the login user: becomes root the way the header asks, and hands standard input over to the root shell.
# Sent as one encoded line (see conversation.ts). Input: a header line "NONCE PRIVILEGE PASSWORD", then what the
# root shell reads. Prints "NONCE DENIED TOOL UID CODE" when root could not be had. This nonce stands in arguments,
# which everybody on the host may read: it marks what comes before the script, and nothing that a script may print.
IFS= read -r header || exit 95
nonce=${header%% *}
header=${header#* }
privilege=${header%% *}
password=${header#* }
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
uid=$(id -u)
if [ "$uid" = 0 ]; then
  tool=root
elif [ "$privilege" = auto ]; then
  tool=sudo
else
  tool=$privilege
fi

# The root shell starts nothing before it has read "GO NONCE": sudo reads its password from the same standard
# input, and where it turns out that it needs none, no shell may get to execute the password.
# shellcheck disable=SC2016 # expanded by the root shell
hand_over='go=; printf "%s READY\n" "$1"; until [ "$go" = "GO $1" ]; do IFS= read -r go || exit 96; done; IFS= read -r program && eval "$(printf %b "$program")"'
set -- /usr/bin/env -i PATH="$PATH" HOME=/root USER=root LOGNAME=root SHELL=/bin/sh LC_ALL=C \
  /bin/sh -c "$hand_over" meshctl "$nonce"

case $tool in
  root)
    if [ "$uid" = 0 ]; then
      exec "$@"
    fi
    code=1
    ;;
  sudo)
    if ! command -v sudo >/dev/null; then
      code=127
    elif [ "$password" = password ]; then
      # The prompt carries the nonce: seen once, the password is asked for; seen twice, it was wrong.
      sudo -k -S -p "$nonce PROMPT " -H -- "$@"
      code=$?
    else
      sudo -n -H -- "$@"
      code=$?
    fi
    ;;
  doas)
    if ! command -v doas >/dev/null; then
      code=127
    else
      doas -n "$@"
      code=$?
    fi
    ;;
esac
if [ "$code" != 0 ]; then
  printf '%s DENIED %s %s %s\n' "$nonce" "$tool" "$uid" "$code"
fi
