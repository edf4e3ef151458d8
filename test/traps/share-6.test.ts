import { plantShare } from "./plant.ts";

await plantShare(5);
