import { Command } from "commander";
import { ConfigurationError } from "../../errors.ts";

/** For --help and completion: bin/meshctl.js hands the words to the lab, a program of its own, before anything else is loaded. */
export const lab = new Command("lab")
  .description("boot throw-away Debian hosts on this machine, to try meshctl on; takes them down again")
  .argument("[words...]", "up, ssh, exec, status, down or demo, with their flags: meshctl lab --help")
  .helpOption(false)
  .allowUnknownOption()
  .passThroughOptions()
  .action(() => {
    throw new ConfigurationError(
      "The lab comes with the built meshctl. From its sources, type: npm run lab -- --help",
    );
  });
