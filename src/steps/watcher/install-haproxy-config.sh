# shellcheck shell=sh disable=SC2154 # `new` is new_beside's
# Puts what Synapse wrote into force, as the only writer of haproxy.cfg. Started by a .path unit whenever there is a
# candidate or a request for a reload; both are taken by renaming them, so that none is lost or handled twice.
#   candidate → last line completed → nothing but servers besides the frame → without servers that the policy leaves out
#             → digest put into `description` → `haproxy -c` and a start apart, without servers that HAProxy refuses
#             → haproxy.cfg, atomically
#   request   → reload, proved by a new worker that gives the file's description back
# What came of it is one line in /run/meshctl/haproxy-install and /run/meshctl/haproxy-reload:
# outcome, digest or description, message, and of a reload the worker that serves, of an installation the servers
# that were left out, as SERVICE/SERVER=CODE (see check-servers.rb); parted by tabs.
# On a host manifest.sh and receive.sh stand before it.

WATCHER=meshctl-watcher
INBOX=/var/lib/meshctl-watcher
RESULTS=/run/meshctl
CONFIG=/etc/haproxy/haproxy.cfg
# Every line but the servers, as the inventory asks for it.
FRAME=/etc/meshctl/haproxy.frame
# What backends may say of themselves.
POLICY=/etc/meshctl/backend-policy.json
PROGRAMS=/opt/meshctl/watcher
SOCKET=/run/haproxy/admin.sock
# A candidate with servers that were left out: tried again until their names resolve.
AGAIN=/run/meshctl/haproxy.cfg.again
AGAIN_AFTER_S=60
# How long a new worker may take to answer. A hung one takes 3 s to be asked.
RELOAD_S=15
# How often HAProxy may refuse a candidate for some servers of it.
ROUNDS=20
# A candidate has at most 8 MiB, which `ulimit -f` counts in blocks of 512 bytes.
CANDIDATE_BLOCKS=16384
# What failed how often in a row; after a few it is tried at growing intervals.
FAILURES=/run/meshctl/haproxy-install.failures
MAX_PAUSE_S=60
# What try-haproxy-start says of a HAProxy that ended; anything else says nothing of it.
NO_START=9
# What HAProxy was last started with for a try.
TRIED=/run/meshctl/haproxy-tried
# Lines that compose puts before what Synapse means.
HEADER_LINES=2
HEADER="# Written by meshctl's watcher from what Synapse found. Changes made here by hand are reported and lost."

TAB=$(printf '\t')

main() {
  umask 077
  doing=reload unreported="" again="" before="" work=""
  install -d -m 0755 "$RESULTS" || try_again
  work=$(mktemp -d "$RESULTS/haproxy-install.XXXXXX") || try_again
  trap 'rm -rf -- "$work"' EXIT
  trap stopped TERM INT HUP
  # The request first: Synapse writes the candidate, then asks. What is asked for now is in the candidate taken next.
  take reload-requested reload-taken
  take haproxy.cfg haproxy.cfg.taken
  failures=0 not_installed=""
  left_out=""
  if [ -e "$INBOX/haproxy.cfg.taken" ]; then
    doing=install
    rm -f -- "$AGAIN"
    if read_candidate; then
      install_candidate
    else
      report install failed "" "$(cat "$work/messages")"
    fi
  elif [ -e "$AGAIN" ]; then
    again=yes doing=install
    mv -fT -- "$AGAIN" "$work/candidate"
    install_candidate
  fi
  if [ -e "$INBOX/reload-taken" ]; then
    reload
  fi
  # What nobody can read of has not been done.
  if [ -n "$unreported" ]; then
    try_again
  fi
  # Only now: what was taken and is there still, the .path unit has done again.
  rm -rf -- "$INBOX/haproxy.cfg.taken" "$INBOX/reload-taken" || try_again
  pause
  return "$failures"
}

# Reads what is to be installed as the watcher's user, who may have put anything there: no link that shows what only root
# may read, nothing that never ends.
read_candidate() (
  ulimit -f "$CANDIDATE_BLOCKS"
  timeout 10 setpriv --reuid="$WATCHER" --regid="$WATCHER" --clear-groups -- \
    "$PROGRAMS/read-regular" "$INBOX/haproxy.cfg.taken" "$((CANDIDATE_BLOCKS * 512))" \
    >"$work/candidate" 2>"$work/messages"
)

# A moment before the .path unit starts this again, once candidates have failed a few times in a row.
pause() {
  trap 'exit 143' TERM INT HUP
  if [ -z "$not_installed" ]; then
    rm -f -- "$FAILURES"
    return
  fi
  in_a_row=0
  if [ -e "$FAILURES" ]; then
    read -r in_a_row <"$FAILURES"
  fi
  in_a_row=$((in_a_row + 1))
  echo "$in_a_row" >"$FAILURES"
  if [ "$in_a_row" -gt 3 ]; then
    seconds=$(((in_a_row - 3) * 5))
    sleep "$((seconds < MAX_PAUSE_S ? seconds : MAX_PAUSE_S))"
  fi
}

# Ends with all that was taken in place, for the .path unit to start this at once: not a thousand times a second.
try_again() {
  printf '<3>%s\n' "$RESULTS or $INBOX cannot be written to: tried again"
  if [ "$again" = yes ] && [ -e "$work/candidate" ]; then
    mv -fT -- "$work/candidate" "$AGAIN"
    start_again_later
  fi
  sleep 5
  exit 1
}

# systemd's time-out, or a person's `systemctl stop`.
stopped() {
  trap '' TERM INT HUP
  if [ "$again" = yes ] && [ "$doing" = install ]; then
    cp -- "$work/candidate" "$AGAIN"
    start_again_later
  fi
  again=""
  report "$doing" failed "" "stopped before it was done; it is tried again" "${before%% *}"
  exit 143
}

# One left by a run that was killed is newer work's to replace, or done now.
take() {
  if [ -e "$INBOX/$1" ]; then
    mv -fT -- "$INBOX/$1" "$INBOX/$2" || try_again
  fi
}

# report KIND OUTCOME DIGEST MESSAGE [WORKER or LEFT_OUT]
report() {
  message=$(printf '%s' "$4" | tr '\t' ' ' | sed -e ':a' -e '$!{N;ba' -e '}' -e 's/\n/; /g')
  printf '%s\t%s\t%s\t%s\n' "$2" "$3" "$message" "${5-}" >"$RESULTS/haproxy-$1.new" || unreported=yes
  chmod 0644 "$RESULTS/haproxy-$1.new"
  # What is tried again and again is said once.
  news=yes
  if [ -n "$again" ] && cmp -s "$RESULTS/haproxy-$1.new" "$RESULTS/haproxy-$1"; then
    news=""
  fi
  if [ -z "$unreported" ]; then
    mv -fT -- "$RESULTS/haproxy-$1.new" "$RESULTS/haproxy-$1" || unreported=yes
  fi
  if [ "$2" != ok ]; then
    failures=1
    [ "$1" != install ] || not_installed=yes
  fi
  if [ -z "$news" ]; then
    return
  fi
  case $2/$left_out in
    ok/) printf '<6>%s: ok %s %s\n' "$1" "$3" "$message" ;;
    ok/*) printf '<4>%s: ok %s %s\n' "$1" "$3" "$message" ;;
    *) printf '<3>%s: %s: %s\n' "$1" "$2" "$message" ;;
  esac
}

# Installs $work/candidate, as Synapse wrote it.
install_candidate() {
  # Synapse heads every file with the time, and that is no change. Awk also completes the last line: HAProxy ≥ 2.x
  # takes a file without a newline at its end for a truncated one.
  # A full disk must not make half of it pass for the whole.
  awk '/^[ \t]*(#|$)/ { next } { print }' "$work/candidate" >"$work/meaning" || try_again
  note=installed
  compose
  # ZooKeeper may be anybody's to write to, and Synapse copies what a backend says of itself without looking at it:
  # a line break in there must not become a directive for a process that starts as root.
  sed -e 's/^[[:space:]]*//' -e '/^server /d' "$work/meaning" >"$work/frame" || try_again
  if ! cmp -s "$work/frame" "$FRAME"; then
    keep_refused
    report install invalid "$digest" "besides servers it differs from what the inventory asks for: $(
      diff "$FRAME" "$work/frame" | grep '^[<>]' | head -n 4
    )"
    return
  fi
  if ! leave_out_refused; then
    keep_refused
    report install failed "$digest" "what backends say of themselves could not be checked: $(tail -n 1 "$work/messages")"
    return
  fi
  compose
  if ! until_valid; then
    return
  fi
  left_out=$(awk -F "$TAB" 'NR <= 100 { print $2 "=" $1 }' "$work/left-out" | paste -s -d " ")
  if [ -n "$left_out" ]; then
    note="installed without $(reasons)"
  fi
  if ! may_replace; then
    keep_refused
    report install refused "$digest" \
      "$CONFIG is neither meshctl's nor the package's default; say \"adopt: true\" in the inventory to replace it"
    return
  fi
  sum=$(sha256sum <"$work/haproxy.cfg")
  sum=${sum%% *}
  if cmp -s "$work/haproxy.cfg" "$CONFIG"; then
    if [ "$(manifest_digest "$CONFIG")" != "$sum" ] && ! record_in_manifest "$sum" "$CONFIG"; then
      report install failed "$sum" "it is in place, and could not be recorded as meshctl's"
      return
    fi
    report install ok "$sum" "${left_out:+$note, }unchanged" "$left_out"
    return
  fi
  if ! replace_config "$sum"; then
    report install failed "$sum" "$CONFIG could not be written"
    return
  fi
  # In place: what may be stopped from here on is the reload.
  [ ! -e "$INBOX/reload-taken" ] || doing=reload
  report install ok "$sum" "$note" "$left_out"
  # Synapse asked for its reload when the name did not resolve yet.
  if [ -n "$again" ] || { [ ! -e "$INBOX/reload-taken" ] && missed_it; }; then
    reload
  fi
}

# Whether HAProxy was started or reloaded since Synapse wrote the candidate: with the file of before, and without what
# Synapse had told its predecessor over the socket. A second or two may be lost in rounding.
missed_it() {
  written_at=$(stat -c %Y -- "$INBOX/haproxy.cfg.taken") || return
  serving=$(worker)
  age=$(ps -o etimes= -p "${serving%% *}" 2>/dev/null) || return
  [ "$(($(date +%s) - age))" -ge "$((written_at - 2))" ]
}

# Takes out of $work/meaning what backends must not say of themselves, and those whose names do not resolve on this host
# or lead elsewhere, which are tried again later. A name service that does not answer at all is no reason to drop a
# server that HAProxy uses.
leave_out_refused() {
  timeout 30 "$PROGRAMS/resolve-hosts" "$work/meaning" >"$work/resolved" 2>"$work/messages" ||
    printf '%sagain\n' "$TAB" >>"$work/resolved"
  ruby --disable-gems "$PROGRAMS/check-servers.rb" "$POLICY" "$work/meaning" "$CONFIG" "$work/resolved" \
    "$work/kept" "$work/bare" "$work/left-out" 2>"$work/messages" || return
  mv -fT -- "$work/kept" "$work/meaning"
  if grep -q "^\(unresolved\|outside\)$TAB" "$work/left-out" || grep -q "${TAB}again$" "$work/resolved"; then
    cp -- "$work/candidate" "$AGAIN"
    start_again_later
  fi
}

# Leaves servers out until HAProxy takes the rest: those that its alerts name; if they name none all that say what only the
# inventory of this mesh allows; and where it does not start with so many, half of the new ones, and half of these. Says
# that the candidate is invalid when that is no help.
until_valid() {
  refused_because="" is_halved=""
  rounds=0
  while ! is_valid || ! starts; do
    [ -n "$refused_because" ] || refused_because=$(refusal)
    keep_refused
    rounds=$((rounds + 1))
    if [ "$rounds" -gt "$ROUNDS" ] || ! "$PROGRAMS/drop-refused-servers" \
      "$refused" "$work/messages" "$HEADER_LINES" "$work/meaning" "$work/left-out"; then
      if [ -e "$work/bare" ]; then
        # They may not be what it is about.
        if [ "$refused" != "$work/haproxy.cfg" ]; then
          { cp -- "$work/meaning" "$work/all" && cp -- "$work/left-out" "$work/all-left-out"; } || try_again
        fi
        take_bare
      elif [ "$refused" = "$work/haproxy.cfg" ]; then
        report install invalid "$digest" "$refused_because"
        return 1
      elif ! take_fewer; then
        # Not for a word of a backend's: the service could not be started either, and its servers come and go.
        put_back_all
        compose
        note="installed although HAProxy would not start with it: $refused_because"
        return 0
      fi
    fi
    compose
  done
}

# With fewer servers than before, beside all that haproxy.cfg has; 1 when there are no others to leave out.
take_fewer() {
  if [ ! -e "$work/all" ]; then
    { cp -- "$work/meaning" "$work/all" && cp -- "$work/left-out" "$work/all-left-out"; } || try_again
  elif [ -z "$is_halved" ]; then
    put_back_all
  fi
  is_halved=yes
  "$PROGRAMS/halve-new-servers" "$CONFIG" "$work/meaning" "$work/left-out" \
    "HAProxy does not start with so many: $refused_because" 2>"$work/messages"
}

put_back_all() {
  [ ! -e "$work/all" ] || {
    cp -- "$work/all" "$work/meaning" && cp -- "$work/all-left-out" "$work/left-out"
  } || try_again
}

# Whether HAProxy starts with $work/haproxy.cfg, as far as that can be told here; $refused is the file it was tried with.
# A list of servers that it has been started with counts, whichever of them are in maintenance now.
starts() {
  tried=$(
    {
      sed -e '/^[[:space:]]*description meshctl-/d' -e 's/ disabled$//' "$work/meaning"
      stat -Lc '%Y %s' -- "$(command -v haproxy)"
    } | sha256sum
  )
  [ ! -e "$TRIED" ] || [ "$(cat "$TRIED")" != "$tried" ] || return 0
  # Nobody can be asked for names there.
  refused=$work/try/haproxy.cfg
  mkdir -p -- "$work/try" || try_again
  if "$PROGRAMS/name-addresses" "$work/resolved" <"$work/haproxy.cfg" >"$refused"; then
    # In a unit of its own: it takes rights that this one does not have.
    systemd-run --quiet --pipe --wait --collect --property=MemoryMax=4G --property=TasksMax=512 \
      "$PROGRAMS/try-haproxy-start" "$refused" \
      "$(systemctl show --property=LimitNOFILE --value haproxy.service)" >"$work/tried" 2>&1
    outcome=$?
  else
    # Half a file says nothing of the whole.
    echo "$refused cannot be written" >"$work/tried"
    outcome=75
  fi
  # A name in a server's options is one that nobody is there to resolve; `haproxy -c` has taken it.
  if [ "$outcome" = "$NO_START" ] && grep -qi 'invalid address\|could not resolve' "$work/tried"; then
    outcome=75
  fi
  if [ "$outcome" = "$NO_START" ]; then
    cp -- "$work/tried" "$work/messages"
  elif [ "$outcome" = 0 ]; then
    printf '%s\n' "$tried" >"$TRIED"
  else
    printf '<4>%s\n' "a start of HAProxy could not be tried: $(tail -n 1 "$work/tried")"
  fi
  [ "$outcome" != "$NO_START" ]
}

# What is left without the servers that say more than backends of any mesh may, and who is missing then.
take_bare() {
  reason=$(printf '%s' "$refused_because" | tr '\t\n' '  ') awk -v OFS="$TAB" '
    NR == FNR { bare[$0] = 1; next }
    $1 == "backend" { service = $2 }
    $1 == "server" && service !~ /:panic$/ && !($0 in bare) && !/ disabled( |$)/ { print "refused", service "/" $2, ENVIRON["reason"] }
  ' "$work/bare" "$work/meaning" >>"$work/left-out"
  mv -fT -- "$work/bare" "$work/meaning"
}

# Who is left out and why, for a person.
reasons() {
  awk -F "$TAB" 'NR <= 5 { printf "%s%s: %s", NR == 1 ? "" : "; ", $2, $3 } END { if (NR > 5) printf "; and %d more", NR - 5 }' \
    "$work/left-out"
}

start_again_later() {
  # From now on, not from when it was begun: one that runs out while this still works would be for nothing.
  systemctl stop meshctl-haproxy-again.timer 2>/dev/null
  systemd-run --quiet --collect --unit=meshctl-haproxy-again --on-active="$AGAIN_AFTER_S" \
    systemctl start --no-block meshctl-haproxy-install.service 2>/dev/null
}

# haproxy.cfg of what Synapse means, with the digest of it in the description.
compose() {
  digest=$(sed '/^[[:space:]]*description meshctl-/d' "$work/meaning" | sha256sum)
  digest=$(printf '%.16s' "$digest")
  {
    printf '%s\n\n' "$HEADER"
    sed "s/^\([[:space:]]*description meshctl-[0-9a-f]\{64\}\)[[:space:]]*$/\1-$digest/" "$work/meaning"
  } >"$work/haproxy.cfg" || try_again
}

is_valid() {
  refused=$work/haproxy.cfg
  RES_OPTIONS="timeout:1 attempts:2" timeout 20 haproxy -c -f "$work/haproxy.cfg" >"$work/messages" 2>&1
}

# replace_config DIGEST
replace_config() (
  target=$(readlink -f -- "$CONFIG") && new_beside "$target" .haproxy.cfg || exit
  cat "$work/haproxy.cfg" >"$new" && chmod 0644 "$new" && sync "$new" || exit
  # Recorded first: cut between the two, the file that is there still counts as ours to replace.
  known=$(manifest_digest "$CONFIG") && record_in_manifest "$1" "$CONFIG" || exit
  put_in_place "$target" && exit
  record_in_manifest "$known" "$CONFIG"
  exit 1
)

# The candidate that was not installed, for a person to look at.
keep_refused() {
  install -m 0644 "$work/haproxy.cfg" "$RESULTS/haproxy.cfg.refused"
}

# What HAProxy says against the candidate, with the name that a person knows.
refusal() {
  said=$(grep -F ALERT "$work/messages" | grep -v 'Error(s) found\|Fatal errors found' | head -n 5)
  [ -n "$said" ] || said=$(tail -n 5 "$work/messages")
  printf '%s' "$said" | sed -e "s|$work/try/||g" -e "s|$work/||g"
}

# A file that meshctl wrote before, edited since or not; the package's own; or none.
may_replace() {
  [ -e "$CONFIG" ] || return 0
  cmp -s "$work/haproxy.cfg" "$CONFIG" && return 0
  [ "$(manifest_digest "$CONFIG")" = - ] || return 0
  packaged=$(grep -m 1 -F -- " $CONFIG " /var/lib/dpkg/status) || return 1
  found=$(md5sum <"$CONFIG")
  case $packaged in
    *" ${found%% *}"*) return 0 ;;
  esac
  return 1
}

# systemd takes a reload for done once the signal is sent. Done it is when a worker that was not there before gives
# the file's description back (https://docs.haproxy.org/2.6/management.html#9.3-show%20info).
reload() {
  doing=reload
  wanted=$(sed -n 's/^[[:space:]]*description \(meshctl-[^[:space:]]*\)[[:space:]]*$/\1/p' "$CONFIG" | head -n 1)
  # One that is starting may have read the file of before.
  ends_at=$(($(uptime_seconds) + RELOAD_S))
  while [ "$(systemctl show --property=ActiveState --value haproxy.service)" = activating ] &&
    [ "$(uptime_seconds)" -lt "$ends_at" ]; do
    sleep 0.2
  done
  if ! systemctl --quiet is-active haproxy.service; then
    report reload failed "$wanted" "haproxy.service does not run; started, it will read the new file"
    return
  fi
  before=$(worker)
  since=$(date +%s)
  if ! timeout 30 systemctl reload haproxy.service 2>"$work/messages"; then
    report reload failed "$wanted" "$(haproxy_said "$since")" "${before%% *}"
    return
  fi
  ends_at=$(($(uptime_seconds) + RELOAD_S))
  while [ "$(uptime_seconds)" -lt "$ends_at" ]; do
    after=$(worker)
    if [ "${after#* }" = "$wanted" ] && [ "${after%% *}" != "${before%% *}" ]; then
      report reload ok "$wanted" "worker ${after%% *} after ${before%% *}" "${after%% *}"
      return
    fi
    sleep 0.2
  done
  report reload failed "$wanted" "the old worker serves on: $(haproxy_said "$since")" "${before%% *}"
}

# No clock that somebody may set.
uptime_seconds() {
  read -r seconds _ </proc/uptime
  printf '%s' "${seconds%%.*}"
}

# The worker's process id and description, or nothing.
worker() {
  "$PROGRAMS/haproxy-worker" "$SOCKET"
}

# haproxy_said SINCE: the reasons in its journal, else what systemctl said.
haproxy_said() {
  said=$(journalctl -q -u haproxy.service --since "@$1" -o cat --no-pager 2>/dev/null |
    grep -E 'ALERT|Cannot|cannot|failed' | head -n 5)
  [ -n "$said" ] || said=$(tail -n 3 "$work/messages")
  printf '%s' "${said:-it gave no reason}"
}

main "$@"
