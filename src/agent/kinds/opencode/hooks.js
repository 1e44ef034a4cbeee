// tmux-sesh: tells tmux what opencode is doing. Put here by `sesh-hooks install opencode`, taken away by
// `sesh-hooks remove opencode`; what is changed here is lost with the next one.
import { spawn } from "node:child_process"

const RUN = ["-c", COMMAND]
const TOLD = ["session.created", "session.status", "session.idle", "permission.asked", "permission.replied",
  "question.asked", "question.replied", "question.rejected"]

export const TmuxSesh = async () => {
  // One after the other, so that the last word is the last.
  let last = Promise.resolve()
  const tell = (type, properties) => {
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
  // Sessions of sub-agents are not what a person sees.
  const children = new Set()
  return {
    event: async ({ event }) => {
      const { sessionID, status, info } = event.properties ?? {}
      if (info?.parentID) children.add(info.id)
      if (!TOLD.includes(event.type) || children.has(sessionID ?? info?.id)) return
      tell(event.type, { sessionID: sessionID ?? info?.id, status })
    },
    "chat.message": async (input, output) => {
      if (children.has(input.sessionID)) return
      const texts = (output?.parts ?? []).filter((part) => part.type === "text" && !part.synthetic)
      tell("chat.message", { sessionID: input.sessionID, prompt: texts.map((part) => part.text).join("\n") })
    },
  }
}
