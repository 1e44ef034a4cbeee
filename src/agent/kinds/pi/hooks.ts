// tmux-sesh: reports to tmux what pi is doing. `sesh-hooks install pi` writes this file, `sesh-hooks remove pi` deletes
// it. The next installation overwrites changes.
import { spawn } from "node:child_process";

const RUN = ["-c", COMMAND];

export default function (pi: any) {
  // Reports run one after the other, so that the last event is also the last report.
  let last: Promise<unknown> = Promise.resolve();
  const report = (payload: object) => {
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
      const sent = report({ type, text: event?.text, sessionId: ctx?.sessionManager?.getSessionId?.() });
      // pi ends after this event, so the handler waits for the report.
      if (type === "session_shutdown") await sent;
    });
  }
}
