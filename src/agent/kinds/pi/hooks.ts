// tmux-sesh: tells tmux what pi is doing. Put here by `sesh-hooks install pi`, taken away by `sesh-hooks remove pi`;
// what is changed here is lost with the next one.
import { spawn } from "node:child_process";

const RUN = ["-c", COMMAND];

export default function (pi: any) {
  // One after the other, so that the last word is the last.
  let last: Promise<unknown> = Promise.resolve();
  const tell = (payload: object) => {
    const run = () => new Promise<void>((done) => {
      try {
        const child = spawn("sh", RUN, { stdio: ["pipe", "ignore", "ignore"] });
        child.on("error", () => done());
        child.on("close", () => done());
        child.stdin.on("error", () => {});
        child.stdin.end(JSON.stringify(payload));
      } catch {
        done();
      }
    });
    last = last.then(run);
    return last;
  };
  for (const type of ["session_start", "input", "agent_start", "agent_end", "session_shutdown"]) {
    pi.on(type, async (event: any, ctx: any) => {
      const told = tell({ type, text: event?.text, sessionId: ctx?.sessionManager?.getSessionId?.() });
      // Behind the last one there is nobody to wait for.
      if (type === "session_shutdown") await told;
    });
  }
}
