// tmux-sesh: reports to tmux what opencode is doing. `sesh-hooks install opencode` writes this file, `sesh-hooks remove
// opencode` deletes it. The next installation overwrites changes.
import { spawn } from "node:child_process"

const RUN = ["-c", COMMAND]
const REPORTED = ["session.created", "session.status", "session.idle", "permission.asked", "permission.replied",
  "question.asked", "question.replied", "question.rejected"]

export const TmuxSesh = async () => {
  // Reports run one after the other, so that the last event is also the last report.
  let last = Promise.resolve()
  const report = (type, properties) => {
    const payload = JSON.stringify({ type, properties })
    last = last.then(() => new Promise((done) => {
      try {
        const child = spawn("sh", RUN, { stdio: ["pipe", "ignore", "ignore"] })
        child.on("error", done)
        child.on("close", done)
        child.stdin.on("error", () => {})
        child.stdin.end(payload)
      } catch {
        done()
      }
    }))
  }
  // A person does not see the sessions of sub-agents.
  const children = new Set()
  return {
    event: async ({ event }) => {
      const { sessionID, status, info } = event.properties ?? {}
      if (info?.parentID) children.add(info.id)
      if (!REPORTED.includes(event.type) || children.has(sessionID ?? info?.id)) return
      report(event.type, { sessionID: sessionID ?? info?.id, status })
    },
    "chat.message": async (input, output) => {
      if (children.has(input.sessionID)) return
      const texts = (output?.parts ?? []).filter((part) => part.type === "text" && !part.synthetic)
      report("chat.message", { sessionID: input.sessionID, prompt: texts.map((part) => part.text).join("\n") })
    },
  }
}
