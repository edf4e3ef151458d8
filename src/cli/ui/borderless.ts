/** Lines of a cli-table3 that is nothing but columns. */
const BORDERLESS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: " ",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: " ",
};

/** How a table looks that is nothing but columns. */
export const COLUMNS = {
  chars: BORDERLESS,
  // The table writes to neither list; its types want arrays that could be written to.
  style: { head: [] as string[], border: [] as string[], "padding-left": 0, "padding-right": 1 },
};
