#!/bin/sh
# Runs as root: reads one script whole, runs it, frames what it prints and says how it ended.
# Sent as one encoded line (see conversation.ts). Input: a line "BYTES closed|open MARK", the script, and, when open,
# what the script may read from its standard input. MARK is a nonce that stands in no argument: a program that a probe
# reads from cannot end the probe with it.
IFS= read -r header || exit 95
bytes=${header%% *}
header=${header#* }
input=${header%% *}
mark=${header#* }
umask 022
cd / || exit
unset OLDPWD
# dd never reads past what it was asked for, so the rest of standard input stays the script's.
script=$(dd bs=65536 count="$bytes" iflag=fullblock,count_bytes status=none)
# A connection that broke while the script was sent: nothing of it may run.
[ "${#script}" -eq "$bytes" ] || exit 94
printf '%s BEGIN\n' "$mark" >&2
printf '%s BEGIN\n' "$mark"
if [ "$input" = open ]; then
  (eval "$script")
else
  (eval "$script") </dev/null
fi
code=$?
printf '%s END %s\n' "$mark" "$code" >&2
printf '%s END %s\n' "$mark" "$code"
