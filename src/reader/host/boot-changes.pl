# What was changed since the host has booted.

# What decides how any host boots: with all that is below, and by itself.
my @BOOT_TREES = (map({ "/etc/$_" } qw(systemd sysctl.d modules-load.d modprobe.d default init.d rc2.d rc3.d rc4.d rc5.d rcS.d
  network netplan cron.d)), qw(/etc/ufw /usr/lib/systemd/system /lib/systemd/system /usr/local/lib/systemd /usr/lib/sysctl.d
  /usr/local/lib/sysctl.d /var/spool/cron/crontabs));
my @BOOT_FILES = (map({ "/etc/$_" } qw(fstab crypttab sysctl.conf modules environment rc.local crontab nftables.conf passwd
  group)), qw(/boot/grub/grub.cfg /var/lib/mysql/mysqld-auto.cnf));

# boot.changes PATH...: when this boot began by the clock as it is now, and by the clock as it was then, in seconds since
# 1970; then path and time of what was changed since, the newest first: of the above, of each path, "package NAME", and
# "packages" of what only dpkg knows. The time is the ctime, which the kernel sets and touch does not.
sub boot_changes {
  my $first = started(1) // die "process 1 was not read\n";
  my $time = eval { microseconds(0) / 1_000_000 } // time;
  my $uptime = slurp("/proc/uptime", 64) // die "$!\n";
  my $boot = int($time - (split / /, $uptime)[0] + $$first[1] / 100);
  # systemd makes it when it begins. A clock that was set since has two spans: what was changed before it was set lies in the other.
  my $then = (lstat "/run/systemd/notify")[10] // $boot;
  my $other_end = $then + time - $boot + 1;
  my (%changed, %seen);
  my $see = sub {
    my ($path, @stat) = @_;
    $changed{$path} = $stat[10] if @stat && ($stat[10] >= $boot || $stat[10] >= $then && $stat[10] <= $other_end);
  };
  my @left = map { [$_, 0] } @BOOT_TREES;
  while (my $next = shift @left) {
    my ($path, $depth) = @$next;
    my @stat = lstat $path or next;
    # /lib may lead to /usr/lib.
    @stat = stat $path if $depth == 0;
    next if $seen{"@stat[0, 1]"}++ || keys %seen > 20_000;
    $see->($path, @stat);
    unshift @left, map { ["$path/$_", $depth + 1] } names($path, qr/\A(?!\.\.?\z)/) if S_ISDIR($stat[2]) && $depth < 4;
  }
  for (@BOOT_FILES, @_) { $see->($_, lstat); $see->($_, stat _) if -l _ && stat }
  my $info = "/var/lib/dpkg/info";
  my @status = lstat "/var/lib/dpkg/status";
  if (@status && ($see->("packages", @status), $changed{packages})) {
    $see->("package " . s/(?::.*)?\.list\z//r, lstat "$info/$_") for names($info, qr/\.list\z/);
    delete $changed{packages} if grep { /\Apackage / } keys %changed;
  }
  my @newest = sort { $changed{$b} <=> $changed{$a} || $a cmp $b } keys %changed;
  return ["value", $boot, $then, scalar @newest, map { ($_, $changed{$_}) } @newest[0 .. ($#newest < 19 ? $#newest : 19)]];
}
