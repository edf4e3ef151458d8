import { Command } from "commander";

export const lab = new Command("lab")
  .description("boot throw-away Debian hosts on this machine, to try meshctl on; takes them down again")
  .argument("[words...]", "up, ssh, exec, status, down or demo, with their flags: meshctl lab --help")
  .helpOption(false)
  .allowUnknownOption()
  .passThroughOptions()
  .action(async (words: string[]) => {
    const { labCommand } = await import("../lab-command.ts");
    await labCommand(words);
  });
