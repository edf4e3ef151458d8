import inquirer from "inquirer";

/** Asks on the terminal whether to go ahead. */
export async function confirmChanges(): Promise<"yes" | "no" | "interrupted"> {
  try {
    const { go } = await inquirer.prompt([
      { type: "confirm", name: "go", message: "Make these changes?", default: false },
    ]);
    return go === true ? "yes" : "no";
  } catch (error) {
    if ((error as Error).name === "ExitPromptError") return "interrupted";
    throw error;
  }
}
