#!/usr/bin/env python3
"""mock_llm.py [LOG]: a model on loopback for real agent CLIs: prints its port and answers until its standard input ends.

LOG is a file that gets the last user text of each request of a turn, a JSON string a line, before the request is answered.

Speaks, streaming and not: Anthropic Messages, OpenAI Responses, OpenAI chat completions, Gemini generateContent.  The
answer is decided by a line of the last user text (the last such line wins):

    slow N       a word every 200 ms for N seconds, then "slow done"
    tool CMD     a shell tool call, then "tool done"
    tool! CMD    the same, asking for escalation where the tool has such a parameter (Codex)
    ask Q        a question to the user
    recall       the word of the conversation that began with "secret-", or "nothing"
    error CODE   that HTTP status
    delegate T   reads the skill tmux-sesh, has Codex do T as the skill says, and answers with "codex said: " and its answer
    (none)       "got" and the number of characters
"""
import json, re, sys, threading, time, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DIRECTIVE = re.compile(r"^[ \t]*(slow|tool!|tool|ask|error|recall)(?:[ \t]+|$)(.*)$", re.M)
SECRET = re.compile(r"secret-[a-z]+")
DELEGATE = re.compile(r"^delegate (.+)$", re.M)
# What the skill says of it, in its table.
DELEGATION = re.compile(r"^\| delegate one task[^|]*\| `([^`]+)`", re.M)
REMINDER = re.compile(r"<(system-reminder|session_context)>.*?</\1>", re.S)
SHELLS = ("Bash", "bash", "exec_command", "run_shell_command", "run_commands")
LOG = sys.argv[1] if len(sys.argv) > 1 else None
ASKERS = ("AskUserQuestion", "request_user_input", "question", "ask_user", "ask_user_question", "ask_question")


def rid(prefix):
    return prefix + uuid.uuid4().hex[:20]


# ---- what a request holds: the last user text, whether tool results follow it, the tools by name ----
def text_of(content):
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content or [] if isinstance(part, dict) and isinstance(part.get("text"), str))


def anthropic_in(body):
    results, text = False, ""
    for m in reversed(body.get("messages", [])):
        if m["role"] == "system":
            continue
        if m["role"] != "user":
            break
        content = m["content"] if isinstance(m["content"], list) else [{"type": "text", "text": m["content"]}]
        results |= any(p.get("type") == "tool_result" for p in content)
        text = text_of([p for p in content if p.get("type") == "text"]) + "\n" + text
    return text, results, {t["name"]: t.get("input_schema", {}) for t in body.get("tools", []) if "name" in t}


def responses_in(body):
    results, text = False, ""
    for item in reversed(body.get("input", [])):
        kind, role = item.get("type", "message"), item.get("role")
        if kind == "function_call_output":
            results = True
        elif kind == "message" and role == "user":
            text = text_of(item.get("content"))
            break
        elif kind != "message" or role not in ("developer", "system"):
            break
    tools = {}
    for t in body.get("tools", []):
        for s in t.get("tools", []) if t.get("type") == "namespace" else [t]:
            tools[s.get("name", s.get("type"))] = s.get("parameters", {})
    return text, results, tools


def chat_in(body):
    results, text = False, ""
    for m in reversed(body.get("messages", [])):
        if m["role"] == "tool":
            results = True
        elif m["role"] == "user":
            text = text_of(m.get("content")) + "\n" + text
        else:
            break
    return text, results, {t["function"]["name"]: t["function"].get("parameters", {}) for t in body.get("tools") or []}


def gemini_in(body):
    results, text = False, ""
    for c in reversed(body.get("contents", [])):
        if c.get("role") == "model":
            break
        results |= any("functionResponse" in p for p in c.get("parts", []))
        text = text_of(c.get("parts")) + "\n" + text
    functions = [f for t in body.get("tools", []) for f in t.get("functionDeclarations", [])]
    return text, results, {f["name"]: f.get("parametersJsonSchema") or f.get("parameters") or {} for f in functions}


# ---- the answer: steps ("text", word, delay before it), ("call", tool, arguments), ("error", status, 0) ----
def pick(tools, names):
    return next((n for n in names if n in tools), None)


def shell_call(tools, name, cmd, escalate):
    props = tools[name].get("properties", {})
    args = {"commands": [cmd]} if "commands" in props else {"cmd" if "cmd" in props else "command": cmd}
    if "description" in props:
        args["description"] = "Run a lab command"
    if escalate and "sandbox_permissions" in props:
        args.update(sandbox_permissions="require_escalated", justification="lab: needs to run outside the sandbox")
    return "call", name, args


def delegation(body, tools):
    """The next step of a model that knows the helpers by the skill alone, or None if it is not to delegate."""
    parts = [(m["role"], p) for m in body.get("messages", []) for p in
             ([{"type": "text", "text": m["content"]}] if isinstance(m["content"], str) else m["content"] or [])]
    said = "\n".join(p["text"] for role, p in parts if role == "user" and p.get("type") == "text")
    task = DELEGATE.search(REMINDER.sub("", said))
    if not task:
        return None
    shell = pick(tools, SHELLS)
    calls = {p["id"]: p["name"] for _, p in parts if p.get("type") == "tool_use"}
    answers = [p for _, p in parts if p.get("type") == "tool_result" and calls.get(p["tool_use_id"]) == shell]
    if answers:
        return [("text", "codex said: " + text_of(answers[-1]["content"]).strip(), 0)]
    way = DELEGATION.search(said)
    if way:
        return [shell_call(tools, shell, way[1].replace("TASK", task[1]), False)]
    if "Skill" in tools and "tmux-sesh" in json.dumps(body) and "Skill" not in calls.values():
        return [("call", "Skill", {"skill" if "skill" in tools["Skill"].get("properties", {}) else "command": "tmux-sesh"})]
    return [("text", "no skill says how to delegate", 0)]


def decide(text, results, tools, body):
    steps = tools and delegation(body, tools)
    if steps:
        return steps
    clean = REMINDER.sub("", text).strip("\n")
    hits = DIRECTIVE.findall(clean)
    if results and (not hits or hits[-1][0] != "slow"):
        return [("text", "tool done", 0)]
    if not hits:
        return [("text", f"got {len(clean)}", 0)]
    verb, arg = hits[-1][0], hits[-1][1].strip()
    if verb == "recall":
        secrets = SECRET.findall(json.dumps(body))
        return [("text", f"it was {secrets[0] if secrets else 'nothing'}", 0)]
    if verb == "slow":
        return [("text", f"word{i} ", 0.2) for i in range(int(float(arg) * 5))] + [("text", "slow done", 0)]
    if verb == "error":
        return [("error", int(arg), 0)]
    name = pick(tools, ASKERS if verb == "ask" else SHELLS)
    if not name:
        return [("text", f"(no tool for {verb}; have: {' '.join(tools)})", 0)]
    if verb == "ask":
        q = {"question": arg, "header": "Lab", "multiSelect": False, "type": "choice",
             "options": [{"label": "Alpha", "description": "first"}, {"label": "Beta", "description": "second"}]}
        known = tools[name].get("properties", {}).get("questions", {}).get("items", {}).get("properties", q)
        q = {key: value for key, value in dict(q, id="q1").items() if key in known}
        call = "call", name, {"questions": [q]}
        if name == "ask_question":
            call = "call", name, {"question": arg, "options": ["Alpha", "Beta"]}
    else:
        call = shell_call(tools, name, arg, verb == "tool!")
    return [("text", "I will use a tool.", 0), call]


# ---- the four wire formats: each yields (event name or None, object) ----
def anthropic_out(steps, model):
    yield "message_start", {"type": "message_start", "message": {
        "id": rid("msg_"), "type": "message", "role": "assistant", "model": model, "content": [], "stop_reason": None,
        "stop_sequence": None, "usage": {"input_tokens": 100, "output_tokens": 1}}}
    at, open_text = 0, False
    for kind, a, b in steps:
        if kind == "text":
            if not open_text:
                yield "content_block_start", {"type": "content_block_start", "index": at,
                                              "content_block": {"type": "text", "text": ""}}
                open_text = True
            time.sleep(b)  # why: a model that takes its time is what is mocked.
            yield "content_block_delta", {"type": "content_block_delta", "index": at,
                                          "delta": {"type": "text_delta", "text": a}}
        else:
            if open_text:
                yield "content_block_stop", {"type": "content_block_stop", "index": at}
                at, open_text = at + 1, False
            yield "content_block_start", {"type": "content_block_start", "index": at, "content_block": {
                "type": "tool_use", "id": rid("toolu_"), "name": a, "input": {}}}
            yield "content_block_delta", {"type": "content_block_delta", "index": at,
                                          "delta": {"type": "input_json_delta", "partial_json": json.dumps(b)}}
            yield "content_block_stop", {"type": "content_block_stop", "index": at}
            at += 1
    if open_text:
        yield "content_block_stop", {"type": "content_block_stop", "index": at}
    called = any(s[0] == "call" for s in steps)
    yield "message_delta", {"type": "message_delta", "delta": {
        "stop_reason": "tool_use" if called else "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 20}}
    yield "message_stop", {"type": "message_stop"}


def anthropic_whole(steps, model):
    content = [{"type": "text", "text": "".join(a for kind, a, _ in steps if kind == "text")}]
    return {"id": rid("msg_"), "type": "message", "role": "assistant", "model": model, "content": content,
            "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 100, "output_tokens": 20}}


def responses_out(steps, model):
    resp = {"id": rid("resp_"), "object": "response", "model": model, "status": "in_progress",
            "created_at": int(time.time()), "output": []}
    out, item, text = [], None, ""
    yield "response.created", {"type": "response.created", "response": resp}

    def finish(item, text):
        part = {"type": "output_text", "text": text, "annotations": []}
        base = {"item_id": item["id"], "output_index": len(out), "content_index": 0}
        out.append(dict(item, status="completed", content=[part]))
        yield "response.output_text.done", dict(base, type="response.output_text.done", text=text)
        yield "response.content_part.done", dict(base, type="response.content_part.done", part=part)
        yield "response.output_item.done", {"type": "response.output_item.done",
                                            "output_index": len(out) - 1, "item": out[-1]}

    for kind, a, b in steps:
        if kind == "text":
            if item is None:
                item, text = {"id": rid("msg_"), "type": "message", "role": "assistant", "status": "in_progress",
                              "content": []}, ""
                yield "response.output_item.added", {"type": "response.output_item.added",
                                                     "output_index": len(out), "item": item}
                yield "response.content_part.added", {
                    "type": "response.content_part.added", "item_id": item["id"], "output_index": len(out),
                    "content_index": 0, "part": {"type": "output_text", "text": "", "annotations": []}}
            time.sleep(b)  # why: a model that takes its time is what is mocked.
            text += a
            yield "response.output_text.delta", {"type": "response.output_text.delta", "item_id": item["id"],
                                                 "output_index": len(out), "content_index": 0, "delta": a}
        else:
            if item is not None:
                yield from finish(item, text)
                item = None
            call = {"id": rid("fc_"), "type": "function_call", "call_id": rid("call_"), "name": a,
                    "arguments": json.dumps(b), "status": "completed"}
            yield "response.output_item.added", {"type": "response.output_item.added", "output_index": len(out),
                                                 "item": dict(call, arguments="", status="in_progress")}
            yield "response.output_item.done", {"type": "response.output_item.done",
                                                "output_index": len(out), "item": call}
            out.append(call)
    if item is not None:
        yield from finish(item, text)
    usage = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120,
             "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    yield "response.completed", {"type": "response.completed",
                                 "response": dict(resp, status="completed", output=out, usage=usage)}


def chat_out(steps, model):
    base = {"id": rid("chatcmpl-"), "object": "chat.completion.chunk", "created": int(time.time()), "model": model}

    def chunk(delta, why=None):
        return None, dict(base, choices=[{"index": 0, "delta": delta, "finish_reason": why}])

    yield chunk({"role": "assistant", "content": ""})
    called = False
    for kind, a, b in steps:
        if kind == "text":
            time.sleep(b)  # why: a model that takes its time is what is mocked.
            yield chunk({"content": a})
        else:
            called = True
            yield chunk({"tool_calls": [{"index": 0, "id": rid("call_"), "type": "function",
                                         "function": {"name": a, "arguments": json.dumps(b)}}]})
    yield chunk({}, "tool_calls" if called else "stop")
    yield None, dict(base, choices=[], usage={"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120})


def gemini_out(steps, model):
    for kind, a, b in steps:
        if kind == "text":
            time.sleep(b)  # why: a model that takes its time is what is mocked.
        part = {"text": a} if kind == "text" else {"functionCall": {"name": a, "args": b}}
        yield None, {"candidates": [{"index": 0, "content": {"role": "model", "parts": [part]}}],
                     "modelVersion": model, "responseId": "lab"}
    yield None, {"candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": ""}]},
                                 "finishReason": "STOP"}], "modelVersion": model, "usageMetadata": {
        "promptTokenCount": 100, "candidatesTokenCount": 20, "totalTokenCount": 120}}


def gemini_whole(steps, model):
    parts = [{"text": a} for kind, a, _ in steps if kind == "text"]
    return {"candidates": [{"index": 0, "content": {"role": "model", "parts": parts}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 20, "totalTokenCount": 120},
            "modelVersion": model}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, obj, code=200):
        data = json.dumps(obj).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def stream(self, events, last=b""):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for name, obj in events:
            line = (f"event: {name}\n" if name else "") + "data: " + json.dumps(obj) + "\n\n"
            self.wfile.write(line.encode())
        self.wfile.write(last)

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        if self.path.split("?")[0].endswith("/models"):
            ids = ["lab-model", "gpt-5", "claude-lab"]
            self.reply({"object": "list", "models": [], "has_more": False, "data": [
                {"id": i, "object": "model", "type": "model", "display_name": i, "created": 0, "owned_by": "lab"} for i in ids]})
        else:
            self.reply({"error": {"type": "not_found_error", "message": "mock: no such path"}}, 404)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        path = self.path.split("?")[0]
        model = body.get("model") or path.rsplit("/", 1)[-1].split(":")[0]
        try:
            if path.endswith(("/count_tokens", ":countTokens")):
                self.reply({"input_tokens": 100, "totalTokens": 100})
            elif path.endswith("/messages"):
                steps = self.steps(body, anthropic_in(body), side=True)
                if steps and body.get("stream"):
                    self.stream(anthropic_out(steps, model))
                elif steps:
                    self.reply(anthropic_whole(steps, model))
            elif path.endswith(("streamGenerateContent", ":generateContent")):
                steps = self.steps(body, gemini_in(body), side=True)
                if steps and "streamGenerateContent" in path:
                    self.stream(gemini_out(steps, model))
                elif steps:
                    self.reply(gemini_whole(steps, model))
            elif path.endswith("/responses"):
                steps = self.steps(body, responses_in(body))
                if steps:
                    self.stream(responses_out(steps, model))
            elif path.endswith("/chat/completions"):
                steps = self.steps(body, chat_in(body))
                if steps:
                    self.stream(chat_out(steps, model), b"data: [DONE]\n\n")
            else:
                self.reply({"error": {"type": "not_found_error", "message": "mock: no such path"}}, 404)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # interrupted

    def steps(self, body, asked, side=False):
        """The answer, or None when that was an error and is sent."""
        steps = decide(*asked, body)
        if side and not asked[2]:  # without tools: titles, topic checks, who speaks next
            return [("text", json.dumps({"title": "Lab session", "isNewTopic": True, "next_speaker": "user",
                                         "reasoning": "lab"}), 0)]
        if LOG and asked[2] and not asked[1]:  # a request without tools is no turn
            with open(LOG, "a") as log:
                log.write(json.dumps(REMINDER.sub("", asked[0])) + "\n")
        if steps[0][0] == "error":
            self.reply({"type": "error", "error": {"type": "api_error", "message": "mock error"}}, steps[0][1])
            return None
        return steps


ThreadingHTTPServer.daemon_threads = True
ThreadingHTTPServer.request_queue_size = 64
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.buffer.read()
