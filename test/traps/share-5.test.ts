import { plantShare } from "./plant.ts";

await plantShare(4);
