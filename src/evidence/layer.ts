import type { Layer } from "../contract/reading.ts";
import type { Answer } from "../reader/answer.ts";

/** A layer as it was read. */
export function layerFrom(answer: Answer<string>, source: string): Layer {
  switch (answer.is) {
    case "value":
      return { is: "read", value: answer.value, source };
    case "absent":
      return { is: "absent", source };
    case "unreadable":
      return { is: "unreadable", source, because: answer.because };
  }
}
