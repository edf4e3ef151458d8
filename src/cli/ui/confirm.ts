import inquirer from "inquirer";

/** Asks on the terminal whether to go ahead; ^C counts as no. */
export async function confirmChanges(): Promise<boolean> {
  try {
    const { go } = await inquirer.prompt([
      { type: "confirm", name: "go", message: "Make these changes?", default: false },
    ]);
    return go === true;
  } catch (error) {
    if ((error as Error).name === "ExitPromptError") return false;
    throw error;
  }
}
