# shellcheck shell=sh
# Reads HAProxy's files and unit, and asks the running worker and its master who they are. Changes nothing.

CONFIG=/etc/haproxy/haproxy.cfg
DROP_IN=/etc/systemd/system/haproxy.service.d/meshctl.conf
LOAD_RECORDER=/opt/meshctl/haproxy/record-loaded
LOADED_RECORD=/run/meshctl/haproxy-loaded
UNIT=haproxy.service
ADMIN_SOCKET=/run/haproxy/admin.sock
MASTER_SOCKET=/run/haproxy-master.sock

# ask_processes MASTER_PID: records "socket": path, "answered" or why not; "info": key, value; "info_from": path;
# "process": a line of `show proc`; "limit": "master" or "worker", pid, soft, hard; "server": back end, name, status,
# weight, address. In perl, for a bare host has neither nc nor socat.
ask_processes() {
  perl -e '
    use strict;
    use Socket;
    my ($admin, $master, $master_pid) = @ARGV;
    $SIG{ALRM} = sub { die "no answer within 2 s\n" };
    $SIG{PIPE} = "IGNORE";

    sub ask {
      my ($path, $command) = @_;
      my $answer = "";
      eval {
        alarm 2;
        socket(my $socket, PF_UNIX, SOCK_STREAM, 0) or die "$!\n";
        connect($socket, pack_sockaddr_un($path)) or die "$!\n";
        syswrite($socket, "$command\n") or die "$!\n";
        shutdown($socket, 1);  # else the master keeps the connection open
        while (sysread($socket, my $part, 65536)) {
          $answer .= $part;
          die "an answer without end\n" if length $answer > 33554432;
        }
        alarm 0;
        die "no answer\n" if $answer eq "";
      };
      alarm 0;
      my $error = $@;
      chomp $error;
      return ($answer, $error);
    }

    sub record { print join("\t", map { s/\s+/ /gr } @_), "\n" }

    my ($info, $error) = ask($admin, "show info");
    record("socket", $admin, $error eq "" ? "answered" : $error);
    my ($statistics) = $error eq "" ? ask($admin, "show stat") : ("");
    my $address;
    for (split /\n/, $statistics) {
      my @column = split /,/;
      ($address) = grep { $column[$_] eq "addr" } 0 .. $#column if /^#/;
      record("server", @column[0, 1, 17, 18], defined $address ? $column[$address] : "")
        if defined $column[32] && $column[32] eq "2";
    }
    my $from = $admin;
    my ($processes, $silence) = ask($master, "show proc");
    record("socket", $master, $silence eq "" ? "answered" : $silence);
    record("process", $_) for grep { /\S/ } split /\n/, $processes;
    # HAProxy 2.2 loses the admin socket in a failed reload while the old worker serves on.
    if ($error ne "" && $processes =~ /^(\d+)\s+worker\s/m) {
      ($info, $error) = ask($master, "\@!$1 show info");
      $from = $master;
    }
    my %known = map { /^([^:]+): *(.*?)\s*$/ ? (lc $1, $2) : () } split /\n/, $info;
    record("info_from", $from) if defined $known{pid};
    for (qw(version pid uptime_sec maxconn hard_maxconn ulimit-n description)) {
      record("info", $_, $known{$_}) if defined $known{$_};
    }
    my %limited = (master => $master_pid, worker => $known{pid});
    for my $role (sort keys %limited) {
      open(my $limits, "<", "/proc/" . ($limited{$role} || 0) . "/limits") or next;
      for (<$limits>) { record("limit", $role, $limited{$role}, $1, $2) if /^Max open files +(\S+) +(\S+)/ }
    }
  ' "$ADMIN_SOCKET" "$MASTER_SOCKET" "$1" 2>/dev/null
}

# property NAME: of the unit, from what emit_units printed.
property() {
  case $units in *"unit$TAB$UNIT$TAB$1$TAB"*) ;; *) return ;; esac
  property_value=${units#*"unit$TAB$UNIT$TAB$1$TAB"}
  printf '%s' "${property_value%%"$NEWLINE"*}"
}

# description: as the file on disk has it.
description() {
  sed -n '/^[[:space:]]*description[[:space:]]/{s/^[[:space:]]*description[[:space:]]*//;s/[[:space:]]*$//;p;q;}' \
    "$CONFIG" 2>/dev/null
}

# Record "environment_line": path, number, text: lines of the unit's files of variables that its command line may use.
emit_environment_files() {
  printf '%s\n' "$units" | while IFS=$TAB read -r _ environment_unit environment_property environment_path; do
    [ "$environment_unit $environment_property" = "$UNIT EnvironmentFiles" ] || continue
    environment_path=${environment_path% (ignore_errors=*}
    [ -r "$environment_path" ] || continue
    environment_number=0
    # shellcheck disable=SC2094 # its name is printed, nothing is written
    while read -r environment_line || [ -n "$environment_line" ]; do
      environment_number=$((environment_number + 1))
      # Nothing else: such files hold passwords too.
      case $environment_line in
        CONFIG=* | PIDFILE=* | EXTRAOPTS=* | OPTIONS=*)
          emit environment_line "$environment_path" "$environment_number" "$environment_line"
          ;;
      esac
    done <"$environment_path"
  done
}

emit_journal() {
  journalctl -q --no-pager -o cat -n 80 _TRANSPORT=stdout "$1" 2>/dev/null | while IFS= read -r line; do
    emit journal "$line"
  done
}

# HAProxys that the service did not start: "stranger", ADDRESS:PORT, PID for each port they listen on. Several may
# share one port, and then each of them gets some of the requests.
emit_strangers() {
  ss -Hltnp | while read -r _ _ _ local _ users; do
    while [ "$users" != "${users#*'"haproxy",pid='}" ]; do
      users=${users#*'"haproxy",pid='}
      pid=${users%%,*}
      if [ -r "/proc/$pid/cgroup" ] && ! grep -qF "/$UNIT" "/proc/$pid/cgroup"; then
        emit stranger "$local" "$pid"
      fi
    done
  done
}

main() {
  emit_file "$CONFIG"
  emit_file "$DROP_IN"
  emit_file "$LOAD_RECORDER"
  units=$(emit_units "$UNIT" meshctl-watcher.service meshctl-haproxy-install.path)
  printf '%s\n' "$units"
  if [ ! -x /usr/sbin/haproxy ]; then
    emit candidate "$(LC_ALL=C apt-cache policy haproxy 2>/dev/null | sed -n 's/^ *Candidate: *//p')"
    return
  fi
  emit_environment_files
  emit_strangers
  emit limit_nofile "$(systemctl show --value -p LimitNOFILE -- "$UNIT" 2>/dev/null)"
  case $(property ActiveState) in
    active | reloading) ;;
    *)
      haproxy -c -f "$CONFIG" >/dev/null 2>&1
      emit config_check "$?"
      # What it said before somebody stopped it is no reason.
      [ "$(property ActiveState)" = inactive ] || emit_journal "_SYSTEMD_UNIT=$UNIT"
      return
      ;;
  esac
  emit_text loaded "$LOADED_RECORD"
  master_pid=$(property MainPID)
  emit command "$(tr '\0' '\n' 2>/dev/null <"/proc/$master_pid/cmdline")"
  answers=$(ask_processes "$master_pid")
  printf '%s\n' "$answers"
  # What HAProxy said is of interest only when the worker is not the one that the file describes.
  case "$(property StatusText)$NEWLINE$answers" in
    *"Reload failed"* | *"failed: "[1-9]* | *"# old workers"*) emit_journal "_SYSTEMD_INVOCATION_ID=$(property InvocationID)" ;;
    *"info${TAB}description$TAB$(description)"*) ;;
    *) emit_journal "_SYSTEMD_INVOCATION_ID=$(property InvocationID)" ;;
  esac
}

main "$@"
