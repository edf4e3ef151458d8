// Loaded into meshctl by NODE_OPTIONS: plants a fault of its own. The first socket that brings data after SIGUSR2 throws
// while that is read, in the session with its host; after SIGWINCH a timer throws that belongs to no host.
import { Socket } from "node:net";

let isArmed = false;
process.on("SIGUSR2", () => {
  isArmed = true;
});
process.on("SIGWINCH", () => {
  setTimeout(() => {
    throw new Error("planted, of no host");
  });
});

const { emit } = Socket.prototype;
Socket.prototype.emit = function (event, ...args) {
  if (isArmed && event === "data") {
    isArmed = false;
    throw new Error("planted, in a session");
  }
  return emit.call(this, event, ...args);
};
