#!/bin/sh
# Puts what Synapse wrote into force, as the only writer of haproxy.cfg. Started by a .path unit whenever there is a
# candidate or a request for a reload; both are taken by renaming them, so that none is lost or handled twice.
#   candidate → last line completed → nothing but servers besides the frame → without servers that the policy leaves out
#             → digest put into `description` → `haproxy -c`, without servers that it refuses → haproxy.cfg, atomically
#   request   → reload, proved by a new worker that gives the file's description back
# What came of it is one line in /run/meshctl/haproxy-install and /run/meshctl/haproxy-reload:
# outcome, digest or description, message, and of a reload the worker that serves, of an installation the servers
# that were left out, as SERVICE/SERVER=CODE (see check-servers.rb); parted by tabs.

WATCHER=meshctl-watcher
STATE=/var/lib/meshctl-watcher
RESULTS=/run/meshctl
MANIFEST=/var/lib/meshctl/manifest
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
# Lines that compose puts before what Synapse means.
HEADER_LINES=2
HEADER="# Written by meshctl's watcher from what Synapse found. Changes made here by hand are reported and lost."

TAB=$(printf '\t')

main() {
  umask 077
  install -d -m 0755 "$RESULTS" || try_again
  work=$(mktemp -d "$RESULTS/haproxy-install.XXXXXX") || try_again
  new="" doing=reload unreported="" again="" before=""
  trap 'rm -rf -- "$work" ${new:+"$new"}' EXIT
  trap stopped TERM INT HUP
  # The request first: Synapse writes the candidate, then asks. What is asked for now is in the candidate taken next.
  take reload-requested reload-taken
  take haproxy.cfg haproxy.cfg.taken
  failures=0
  left_out=""
  if [ -e "$STATE/haproxy.cfg.taken" ]; then
    doing=install
    rm -f -- "$AGAIN"
    # Read as the watcher's user: a link it made must not show a file that only root may read.
    if setpriv --reuid="$WATCHER" --regid="$WATCHER" --clear-groups -- \
      cat -- "$STATE/haproxy.cfg.taken" >"$work/candidate" 2>"$work/messages"; then
      install_candidate
    else
      report install failed "" "$(cat "$work/messages")"
    fi
  elif [ -e "$AGAIN" ]; then
    again=yes doing=install
    mv -fT -- "$AGAIN" "$work/candidate"
    install_candidate
  fi
  if [ -e "$STATE/reload-taken" ]; then
    reload
  fi
  # What nobody can read of has not been done.
  if [ -n "$unreported" ]; then
    try_again
  fi
  # Only now: what was taken and is there still, the .path unit has done again.
  rm -rf -- "$STATE/haproxy.cfg.taken" "$STATE/reload-taken"
  return "$failures"
}

# Ends with all that was taken in place, for the .path unit to start this at once: not a thousand times a second.
try_again() {
  printf '<3>%s\n' "$RESULTS cannot be written to: tried again"
  sleep 1
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
  if [ -e "$STATE/$1" ]; then
    mv -fT -- "$STATE/$1" "$STATE/$2"
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
  awk '/^[ \t]*(#|$)/ { next } { print }' "$work/candidate" >"$work/meaning"
  note=installed
  compose
  # ZooKeeper may be anybody's to write to, and Synapse copies what a backend says of itself without looking at it:
  # a line break in there must not become a directive for a process that starts as root.
  sed -e 's/^[[:space:]]*//' -e '/^server /d' "$work/meaning" >"$work/frame"
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
  left_out=$(awk -F "$TAB" '{ print $2 "=" $1 }' "$work/left-out" | head -n 100 | paste -s -d " ")
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
    record_in_manifest "$sum"
    report install ok "$sum" "${left_out:+$note, }unchanged" "$left_out"
    return
  fi
  if ! replace_config "$sum"; then
    report install failed "$sum" "$CONFIG could not be written"
    return
  fi
  report install ok "$sum" "$note" "$left_out"
  # Synapse asked for its reload when the name did not resolve yet.
  if [ -n "$again" ]; then
    reload
  fi
}

# Takes out of $work/meaning what backends must not say of themselves, and those whose names do not resolve on this host
# or lead elsewhere, which are tried again later. A name service that does not answer at all is no reason to drop a
# server that HAProxy uses.
leave_out_refused() {
  timeout 60 "$PROGRAMS/resolve-hosts" "$work/meaning" >"$work/resolved" 2>"$work/messages" ||
    printf '%sagain\n' "$TAB" >>"$work/resolved"
  ruby --disable-gems "$PROGRAMS/check-servers.rb" "$POLICY" "$work/meaning" "$CONFIG" "$work/resolved" \
    "$work/kept" "$work/bare" "$work/left-out" 2>"$work/messages" || return
  mv -fT -- "$work/kept" "$work/meaning"
  if grep -q "^\(unresolved\|outside\)$TAB" "$work/left-out" || grep -q "${TAB}again$" "$work/resolved"; then
    cp -- "$work/candidate" "$AGAIN"
    start_again_later
  fi
}

# Leaves servers out until HAProxy takes the rest: those that its alerts name, and if they name none all that have a word
# of their own. Says that the candidate is invalid when that is no help.
until_valid() {
  refused_because=""
  rounds=0
  while ! is_valid; do
    [ -n "$refused_because" ] || refused_because=$(refusal)
    keep_refused
    rounds=$((rounds + 1))
    if [ "$rounds" -gt "$ROUNDS" ] || ! "$PROGRAMS/drop-refused-servers" \
      "$work/haproxy.cfg" "$work/messages" "$HEADER_LINES" "$work/meaning" "$work/left-out"; then
      if [ ! -e "$work/bare" ]; then
        report install invalid "$digest" "$refused_because"
        return 1
      fi
      take_bare
    fi
    compose
  done
}

# What is left when no backend says anything of itself, and who is missing then.
take_bare() {
  reason=$(printf '%s' "$refused_because" | tr '\t\n' '  ') awk -v OFS="$TAB" '
    NR == FNR { bare[$0] = 1; next }
    $1 == "backend" { service = $2 }
    $1 == "server" && !($0 in bare) && !/ disabled( |$)/ { print "refused", service "/" $2, ENVIRON["reason"] }
  ' "$work/bare" "$work/meaning" >>"$work/left-out"
  mv -fT -- "$work/bare" "$work/meaning"
}

# Who is left out and why, for a person.
reasons() {
  awk -F "$TAB" 'NR <= 5 { printf "%s%s: %s", NR == 1 ? "" : "; ", $2, $3 } END { if (NR > 5) printf "; and %d more", NR - 5 }' \
    "$work/left-out"
}

start_again_later() {
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
  } >"$work/haproxy.cfg"
}

is_valid() {
  RES_OPTIONS="timeout:1 attempts:2" timeout 20 haproxy -c -f "$work/haproxy.cfg" >"$work/messages" 2>&1
}

replace_config() {
  target=$(readlink -f -- "$CONFIG") || return
  new=$(mktemp "$(dirname "$target")/.haproxy.cfg.XXXXXX") || return
  cat "$work/haproxy.cfg" >"$new" && chmod 0644 "$new" && sync "$new" || return
  # Recorded first: cut between the two, the file that is there still counts as ours to replace.
  record_in_manifest "$1" && mv -fT -- "$new" "$target" && sync "$(dirname "$target")"
}

# The candidate that was not installed, for a person to look at.
keep_refused() {
  install -m 0644 "$work/haproxy.cfg" "$RESULTS/haproxy.cfg.refused"
}

# What HAProxy says against the candidate, with the name that a person knows.
refusal() {
  said=$(grep -F ALERT "$work/messages" | grep -v 'Error(s) found\|Fatal errors found' | head -n 5)
  [ -n "$said" ] || said=$(tail -n 5 "$work/messages")
  printf '%s' "$said" | sed "s|$work/||g"
}

# A file that meshctl wrote before, edited since or not; the package's own; or none.
may_replace() {
  [ -e "$CONFIG" ] || return 0
  cmp -s "$work/haproxy.cfg" "$CONFIG" && return 0
  if [ -e "$MANIFEST" ]; then
    while read -r _ known; do
      [ "$known" = "$CONFIG" ] && return 0
    done <"$MANIFEST"
  fi
  packaged=$(grep -m 1 -F -- " $CONFIG " /var/lib/dpkg/status) || return 1
  found=$(md5sum <"$CONFIG")
  case $packaged in
    *" ${found%% *}"*) return 0 ;;
  esac
  return 1
}

# record_in_manifest DIGEST
record_in_manifest() {
  install -d -m 0700 "$(dirname "$MANIFEST")" || return
  (
    flock -w 10 8 || exit
    next=$(mktemp "$(dirname "$MANIFEST")/.manifest.XXXXXX") || exit
    if [ -e "$MANIFEST" ]; then
      while read -r known_digest known; do
        [ "$known" = "$CONFIG" ] || printf '%s  %s\n' "$known_digest" "$known"
      done <"$MANIFEST" >"$next"
    fi
    printf '%s  %s\n' "$1" "$CONFIG" >>"$next"
    sync "$next" && mv -fT -- "$next" "$MANIFEST"
  ) 8>"$MANIFEST.lock"
}

# systemd takes a reload for done once the signal is sent. Done it is when a worker that was not there before gives
# the file's description back (https://docs.haproxy.org/2.6/management.html#9.3-show%20info).
reload() {
  doing=reload
  wanted=$(sed -n 's/^[[:space:]]*description \(meshctl-[^[:space:]]*\)[[:space:]]*$/\1/p' "$CONFIG" | head -n 1)
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
  # shellcheck disable=SC2016 # perl's variables, not the shell's
  timeout 3 perl -MIO::Socket::UNIX -e '
    my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or exit;
    print $socket "show info\n";
    my %info = map { /^(\w+): (.*)/ ? ($1, $2) : () } <$socket>;
    print $info{Pid} // 0, " ", $info{description} // $info{Description} // "";
  ' "$SOCKET"
}

# haproxy_said SINCE: the reasons in its journal, else what systemctl said.
haproxy_said() {
  said=$(journalctl -q -u haproxy.service --since "@$1" -o cat --no-pager 2>/dev/null |
    grep -E 'ALERT|Cannot|cannot|failed' | head -n 5)
  [ -n "$said" ] || said=$(tail -n 3 "$work/messages")
  printf '%s' "${said:-it gave no reason}"
}

main "$@"
