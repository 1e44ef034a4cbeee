//! What the transcript of a conversation says of it as a whole, and where it is.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tmux_sesh::agent::conversation::transcript_file;
use tmux_sesh::agent::kinds::Agents;
use tmux_sesh::transcript::form::TranscriptForm;
use tmux_sesh::transcript::summary::TranscriptSummary;

use crate::log::{RECORDED, lines, node, recorded, written};
use crate::support::Server;

#[test]
fn how_full_a_context_is() {
    let server = Server::empty();
    let summary = |form, text: &str| {
        let path = written(&server, text);
        TranscriptSummary::read(File::open(path).expect("a file"), form).expect("a summary")
    };
    let usage = |tokens: u64| {
        json!({ "type": "event_msg", "payload": { "type": "token_count", "info": {
            "total_token_usage": { "input_tokens": 99_999 },
            "last_token_usage": { "input_tokens": tokens }, "model_context_window": 1000 } } })
    };
    let model = json!({ "type": "turn_context", "payload": { "model": "gpt" } });
    let text = lines(&[model, usage(100), usage(250)]);
    let found = summary(TranscriptForm::Codex, &text);
    let none = BTreeMap::new();
    assert_eq!(
        (found.model.as_deref(), found.context(&none)),
        (Some("gpt"), Some(25))
    );
    let full = summary(TranscriptForm::Codex, &lines(&[usage(u64::MAX)]));
    assert_eq!(full.context(&none), Some(u64::MAX / 1000));
    for (name, form) in RECORDED {
        let text = std::fs::read_to_string(recorded(name)).expect("a transcript");
        let found = summary(form, &text);
        assert!(found.title_or_prompt().is_some(), "{name}");
        assert_eq!(
            found.context(&none).is_some(),
            form == TranscriptForm::Codex,
            "{name}"
        );
    }
    // Where the transcript does not say how much fits, the manifest does, for models with one window.
    let agents = Agents::read(None);
    let gemini = json!({
        "type": "gemini", "id": "1", "content": "x", "model": "gemini-2.5-pro", "tokens": { "input": 524_288 },
    });
    for (kind, form, line, percent) in [
        (
            "claude",
            TranscriptForm::Claude,
            answer("claude-opus-4-5-20251101"),
            Some(25),
        ),
        (
            "claude",
            TranscriptForm::Claude,
            answer("claude-opus-5"),
            Some(5),
        ),
        (
            "claude",
            TranscriptForm::Claude,
            answer("claude-sonnet-4-6"),
            None,
        ),
        (
            "claude",
            TranscriptForm::Claude,
            answer("claude-opus-5-9"),
            None,
        ),
        ("gemini", TranscriptForm::Gemini, gemini, Some(50)),
    ] {
        let windows = &agents
            .named(kind)
            .expect("a kind")
            .manifest
            .transcripts
            .windows;
        let found = summary(form, &lines(&[line]));
        assert_eq!(found.context(windows), percent, "{found:?}");
    }
}

/// An answer of Claude, with 50,000 tokens in its request.
fn answer(model: &str) -> Value {
    let usage = json!({ "input_tokens": 10, "cache_creation_input_tokens": 990, "cache_read_input_tokens": 49_000 });
    let message = json!({ "role": "assistant", "model": model, "content": "x", "usage": usage });
    json!({ "type": "assistant", "uuid": "1", "message": message })
}

/// The lines of Claude 2.1.332, which writes the titles again and again, that of a person before its own.
#[test]
fn the_title_of_a_conversation() {
    let server = Server::empty();
    let summary = |form, all: &[Value]| {
        let path = written(&server, &lines(all));
        let read = TranscriptSummary::read(File::open(path).expect("a file"), form);
        let title = read.expect("a summary").title_or_prompt().map(Into::into);
        title.unwrap_or_else(|| String::from("none"))
    };
    let custom =
        |title: &str| json!({ "type": "custom-title", "customTitle": title, "sessionId": "x" });
    let own = |title: &str| json!({ "type": "ai-title", "aiTitle": title, "sessionId": "x" });
    let prompt = node("1", None, "user", "\n the prompt\nmore");
    let claude = |all: &[Value]| summary(TranscriptForm::Claude, all);
    assert_eq!(claude(&[]), "none");
    assert_eq!(claude(std::slice::from_ref(&prompt)), "the prompt");
    assert_eq!(claude(&[prompt.clone(), own("a"), own("b")]), "b");
    let all = [own("a"), custom("c"), own("b"), prompt.clone()];
    assert_eq!(claude(&all), "c");
    // An empty one removes it.
    assert_eq!(claude(&[custom("c"), own("b"), custom("")]), "b");
    let all = [prompt.clone(), custom("c"), custom("")];
    assert_eq!(claude(&all), "the prompt");
    // What a person or a tool wrote is no line of another kind.
    let quoted = "{\"type\":\"tool_result\",\"customTitle\":\"no\"}";
    let said = node("1", None, "user", quoted);
    assert_eq!(claude(&[said, answer("x")]), quoted);
    let content = json!([{ "type": "tool_result", "content": "no" }]);
    let mut result = node("2", Some("1"), "user", content);
    result["toolUseResult"] = json!({ "stdout": "\"customTitle\":\"no\"" });
    assert_eq!(claude(&[prompt, result]), "the prompt");
    let name = |name: &str| json!({ "type": "session_info", "id": "9", "name": name });
    let names = [name("old"), name("mine")];
    assert_eq!(summary(TranscriptForm::Pi, &names), "mine");
    let set = json!({ "$set": { "summary": "of gemini" } });
    assert_eq!(summary(TranscriptForm::Gemini, &[set]), "of gemini");
}

/// There can be hundreds of folders, so the likely one is looked into first.
#[test]
fn the_file_where_it_most_likely_is() {
    let server = Server::empty();
    let agents = Agents::read(None);
    let home = server.path("home");
    let found = |kind: &str, id: &str, cwd| {
        let variable = |name: &str| (name == "HOME").then(|| home.clone().into());
        let agent = agents.named(kind).expect("a kind");
        let found = transcript_file(agent, id, cwd, variable).expect("a file");
        let path = found.path.strip_prefix(&home).expect("a path below");
        path.to_owned()
    };
    let write = |path: &str| {
        let path = home.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, "{}\n").expect("a file");
    };
    let id = "01a22eaf-c180-7000-8000-000000000001";
    let likely = format!(".claude/projects/-src-a-b-gr--e/{id}.jsonl");
    let other = format!(".claude/projects/-tmp/{id}.jsonl");
    write(&likely);
    write(&other);
    let folder = Some("/src/a.b_gr\u{f6}\u{df}e");
    assert_eq!(found("claude", id, folder), Path::new(&likely));
    std::fs::remove_file(home.join(&likely)).expect("removed");
    assert_eq!(found("claude", id, folder), Path::new(&other));
    // Codex names the folder by the local date.
    for day in ["2026/11/30", "2026/12/01", "2020/01/01"] {
        let file = format!(".codex/sessions/{day}/rollout-x-{id}.jsonl");
        write(&file);
        assert_eq!(found("codex", id, None), Path::new(&file));
        std::fs::remove_file(home.join(&file)).expect("removed");
    }
}
