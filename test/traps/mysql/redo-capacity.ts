import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "the redo log's capacity counts where innodb_log_file_size is gone",
  steps: "mysql",
  plant: sh(`mysql -e 'SET GLOBAL innodb_redo_log_capacity = 134217728'`),
  told: [
    {
      setting: "innodb_redo_log_capacity",
      verdict: "not-in-force",
      because: /what runs has 128M, not \d+[MG]/,
    },
  ],
  outcome: { is: "mended" },
  // MySQL 8.0.30 and later alone have it.
  suites: ["sid"],
};
export default trap;
