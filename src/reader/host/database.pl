# The database server.

# With /etc/mysql read-only where the unit has it so: then MariaDB takes world-writable files that it would ignore
# otherwise. By the service's user, who may not read all that root reads.
sub as_server {
  my ($user, $protected) = map { checked($$_[0], $$_[1]) } [user => $_[0]], [yes_no => $_[1]];
  return sub {
    if ($protected eq "yes") {
      my ($none, $root, $etc) = ("none", "/", "/etc/mysql");
      call("unshare", 0x20000) == 0 or die "$!\n";
      call("mount", $none, $root, 0, 0x44000, 0) == 0 or die "$!\n";
      call("mount", $etc, $etc, 0, 0x1000, 0) == 0 or die "$!\n";
      call("mount", $none, $etc, 0, 0x1021, 0) == 0 or die "$!\n";
    }
    my $home = (getpwnam $user)[7];
    become($user);
    # Where it has option files of its own: systemd says it of every user but root.
    if ($user eq "root") { delete $ENV{HOME} } else { $ENV{HOME} = $home }
    delete @ENV{qw(MYSQL_HOME MARIADB_HOME MYSQL_GROUP_SUFFIX MARIADB_GROUP_SUFFIX)};
    # Option files may name others by where the server stands.
    chdir "/" or die "$!\n";
  };
}

# What the server's own parser makes of all option files. It starts nothing and opens no table. Fields: exit code, and
# each line that matters.
my $PARSED = qr/\A(?:The following groups are read: |(?:datadir|socket|log-error|log-bin|pid-file|skip-grant-tables|tmpdir|innodb-data-home-dir|innodb-log-group-home-dir|innodb-undo-directory|persisted-globals-load|innodb-buffer-pool-size|innodb-log-file-size|innodb-redo-log-capacity|innodb-flush-log-at-trx-commit|innodb-force-recovery|(?:innodb-|super-)?read-only|offline-mode|max-(?:user-)?connections|skip-networking|bind-address|port|init-(?:file|connect)) |error: )/;
sub database_parser {
  my ($program, $option, $user, $protected) = @_;
  my ($code, $text) = output_of([$program, @$option], errors => 1, before => as_server($user, $protected));
  return ["value", $code, grep { $_ =~ $PARSED || / Ver [0-9]/ || /\[ERROR\]/ } split /\n/, $text];
}

my $QUERY = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'socket', 'max_connect_errors', 'skip_name_resolve', 'host_cache_size', " .
  "'datadir', 'innodb_data_home_dir', 'innodb_log_group_home_dir', 'innodb_undo_directory', 'innodb_force_recovery', " .
  "'innodb_read_only', 'read_only', 'super_read_only', 'offline_mode', 'max_connections', 'max_user_connections', 'init_connect', 'skip_networking', 'bind_address', 'port', " .
  "'innodb_buffer_pool_size', 'innodb_buffer_pool_size_max', 'innodb_buffer_pool_chunk_size', 'innodb_buffer_pool_instances', " .
  "'innodb_log_file_size', 'innodb_redo_log_capacity', 'innodb_flush_log_at_trx_commit'); " .
  "SHOW GLOBAL STATUS WHERE Variable_name IN ('Uptime', 'Threads_connected', 'Innodb_redo_log_capacity_resized'); " .
  # What events set: MariaDB refuses to list them where they are switched off. Of an event nothing else than that.
  q{SET @known = IF(@@event_scheduler = 'ON', 'SELECT CONCAT(''event '', EVENT_SCHEMA, ''.'', EVENT_NAME), } .
  q{REGEXP_SUBSTR(EVENT_DEFINITION, ''(GLOBAL|PERSIST)[[:space:].]+innodb_[a-z_]+ *:?= *[0-9]+'') } .
  q{FROM information_schema.EVENTS WHERE STATUS = ''ENABLED''', 'DO 0'); PREPARE told FROM @known; EXECUTE told; SELECT 'told', 1; } .
  # It locks no row. Where nobody may write, for somebody has the read lock of all tables, it fails by 1205.
  "SET lock_wait_timeout=1; SELECT 1 FROM mysql.innodb_table_stats WHERE 0 FOR UPDATE";

# The socket that a process listens at; undefined when it has none in the file system. MySQL's X protocol has another.
sub socket_of {
  my ($pid) = @_;
  my %own = map { (readlink("/proc/$pid/fd/$_") // "") =~ /\Asocket:\[(\d+)\]\z/ ? ($1, 1) : () } names("/proc/$pid/fd", qr/\A\d+\z/);
  for (split /\n/, slurp("/proc/$pid/net/unix", $PROCESS_BYTES) // "") {
    my (undef, undef, undef, $flags, undef, undef, $inode, $path) = split " ", $_, 8;
    return $path if defined $path && $path =~ m{\A/} && $path !~ /mysqlx[^\/]*\z/ && $own{$inode} && hex($flags) & 0x10000;
  }
  return;
}

# Asked at the socket of this very process. As root's own files say only where root without them is refused: whatever they
# say of how answers look. Fields: exit code, what the client printed.
my %ACCOUNT = (
  root => ["--no-defaults"],
  own => [],
  debian => ["--defaults-file=/etc/mysql/debian.cnf"],
);
my @PLAIN = map { "--loose-skip-$_" } qw(table vertical auto-vertical-output html xml);
sub database_query {
  my ($account, $pid) = @_;
  my ($client) = grep { -x } map { my $name = $_; map { "$_/$name" } split /:/, $ENV{PATH} } "mariadb", "mysql";
  defined $client or return ["absent"];
  my $socket = socket_of($pid);
  my @at = ("--protocol=socket", defined $socket ? "--socket=$socket" : ());
  return ["value", output_of([$client, @{$ACCOUNT{$account}}, "-N", "-B", @PLAIN, @at, "--connect-timeout=5", "-e", $QUERY], errors => 1)];
}

# The last errors of a server that does not come up, as its user may read them: MySQL writes them to a file, MariaDB to the
# journal. A field for each line.
sub database_errors {
  my ($user, $unit) = @_;
  my $log = "/var/log/mysql/error.log";
  my $read = sub { become($user); sysopen(STDIN, $log, O_RDONLY | O_NONBLOCK | O_NOFOLLOW) && -f STDIN or _exit(1) };
  my (undef, $logged) = output_of(["tail", "-c", "65536"], before => $read);
  return ["value", grep { /\[ERROR\]/ } split /\n/, $logged . journal("-b", "-n", 100, "-u", $unit)];
}
