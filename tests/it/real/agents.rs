//! The real agents, and what a person sees of them. Words of the screen only, and none that the manifests go by where
//! there is another.

use super::lab;

/// A real agent.
pub(super) struct Real {
    pub(super) name: &'static str,
    /// How it is started.
    pub(super) args: &'static str,
    /// What else it needs to run hooks that nobody has looked at.
    pub(super) with_hooks: &'static str,
    /// Without it `bin/test --agents` is worth nothing.
    pub(super) needed: bool,
    /// At its empty composer.
    pub(super) ready: &'static str,
    /// For a moment when it has just started its title says that it works.
    pub(super) flashes: bool,
    /// Its first prompt opens another view, and for a moment the screen is blank: what it does is unknown then.
    pub(super) blanks: bool,
    /// A prompt that makes it ask for permission, and what it asks then.
    pub(super) permission: Option<(&'static str, &'static str)>,
    /// A prompt that makes it ask the person, and what stands below the question.
    pub(super) question: Option<(&'static str, &'static str)>,
    /// A command that opens a menu, and what stands in that.
    pub(super) menu: (&'static str, &'static str),
    /// How often Escape has to be pressed to interrupt it, and what it says after each.
    pub(super) interrupted: &'static [&'static str],
    /// C-z suspends it.
    pub(super) suspends: bool,
    pub(super) leave: &'static str,
    /// What it takes for a command whatever stands before it: messages that begin so are refused.
    pub(super) commands: &'static [&'static str],
    /// It has hooks of ours.
    pub(super) hooks: bool,
    /// It puts the prompt of an interrupted turn back into its composer.
    pub(super) puts_back: bool,
    /// It takes messages into a queue while it works.
    pub(super) queues: bool,
    /// What its hooks tell.
    pub(super) tells: Tells,
}

/// Of an agent without hooks.
const TELLS_NOTHING: Tells = Tells {
    permission: false,
    approval: false,
    question: false,
    interrupt: false,
};

/// The moments at which a hook of the agent speaks, beside the begin and the end of a turn.
pub(super) struct Tells {
    pub(super) permission: bool,
    pub(super) approval: bool,
    pub(super) question: bool,
    pub(super) interrupt: bool,
}

impl Real {
    pub(super) fn is_installed(&self) -> bool {
        let bin = format!("pkg/{}/node_modules/.bin/{}", self.name, self.name);
        lab::home().join(bin).exists()
    }
}

pub(super) const CLAUDE: Real = Real {
    name: "claude",
    args: "--permission-mode manual",
    with_hooks: "",
    needed: true,
    ready: "? for shortcuts",
    flashes: false,
    blanks: false,
    permission: Some(("tool sleep 3; touch x", "Do you want to proceed?")),
    question: Some(("ask Which of them", "Chat about this")),
    menu: ("/model", "Select model"),
    interrupted: &["Interrupted"],
    suspends: true,
    leave: "/exit",
    commands: &[],
    hooks: true,
    puts_back: false,
    queues: true,
    // Nothing for Escape, and nothing between the answer and the tool's end.
    tells: Tells {
        permission: true,
        approval: false,
        question: true,
        interrupt: false,
    },
};

pub(super) const CODEX: Real = Real {
    name: "codex",
    args: "--no-daemon",
    with_hooks: "--dangerously-bypass-hook-trust",
    needed: true,
    ready: "Ask Codex to do anything",
    flashes: true,
    blanks: false,
    permission: Some(("tool! sleep 3; touch x", "Yes, proceed")),
    question: None,
    menu: ("/model", "Select Model"),
    interrupted: &["Conversation interrupted"],
    suspends: true,
    leave: "/quit",
    commands: &[],
    hooks: true,
    puts_back: false,
    queues: true,
    tells: Tells {
        permission: true,
        approval: false,
        question: false,
        interrupt: true,
    },
};

pub(super) const PI: Real = Real {
    name: "pi",
    args: "",
    with_hooks: "",
    needed: true,
    ready: "lab-model",
    flashes: false,
    blanks: false,
    permission: None,
    question: None,
    menu: ("/model", "Only showing models"),
    interrupted: &["Operation aborted"],
    suspends: true,
    leave: "/quit",
    commands: &["!"],
    hooks: true,
    puts_back: false,
    queues: true,
    tells: Tells {
        permission: false,
        approval: false,
        question: false,
        interrupt: true,
    },
};

pub(super) const GEMINI: Real = Real {
    name: "gemini",
    args: "",
    with_hooks: "",
    needed: false,
    ready: "Type your message",
    flashes: false,
    blanks: false,
    permission: Some(("tool sleep 3; touch x", "No, suggest changes")),
    question: Some(("ask Which of them", "Beta")),
    menu: ("/model", "Remember model for"),
    interrupted: &["Request cancelled"],
    suspends: false,
    leave: "/quit",
    commands: &[],
    hooks: true,
    puts_back: false,
    queues: true,
    tells: Tells {
        permission: true,
        approval: false,
        question: true,
        interrupt: true,
    },
};

pub(super) const OPENCODE: Real = Real {
    name: "opencode",
    args: "",
    with_hooks: "",
    needed: false,
    ready: "ctrl+p commands",
    flashes: false,
    blanks: true,
    permission: Some(("tool sleep 3; touch x", "Permission required")),
    question: Some(("ask Which of them", "Type your own answer")),
    menu: ("/models", "Connect provider"),
    interrupted: &["esc again", "interrupted"],
    suspends: true,
    leave: "/exit",
    commands: &[],
    hooks: true,
    puts_back: false,
    queues: true,
    tells: Tells {
        permission: true,
        approval: true,
        question: true,
        interrupt: true,
    },
};

/// Only its headless turns are tried.
pub(super) const COPILOT: Real = Real {
    name: "copilot",
    args: "",
    with_hooks: "",
    needed: false,
    ready: "? help",
    flashes: false,
    blanks: false,
    permission: None,
    question: None,
    menu: ("/model", "Select Model"),
    interrupted: &[],
    suspends: false,
    leave: "/exit",
    commands: &[],
    hooks: false,
    puts_back: false,
    queues: true,
    tells: TELLS_NOTHING,
};

pub(super) const QWEN: Real = Real {
    name: "qwen",
    args: "",
    with_hooks: "",
    needed: false,
    ready: "Type your message",
    flashes: false,
    blanks: false,
    permission: Some(("tool touch x", "Yes, allow once")),
    question: Some(("ask Which of them", "Beta")),
    menu: ("/model", "Select Model"),
    interrupted: &["Request cancelled"],
    suspends: false,
    leave: "/quit",
    commands: &["?"],
    hooks: false,
    puts_back: true,
    queues: true,
    tells: TELLS_NOTHING,
};

pub(super) const KIMI: Real = Real {
    name: "kimi",
    args: "",
    with_hooks: "",
    needed: false,
    ready: "context:",
    flashes: false,
    blanks: false,
    permission: Some(("tool sleep 3; touch x", "Approve once")),
    question: Some(("ask Which of them", "Beta")),
    menu: ("/model", "Select a model"),
    interrupted: &["Interrupted by user"],
    suspends: false,
    leave: "/exit",
    commands: &[],
    hooks: false,
    puts_back: false,
    queues: true,
    tells: TELLS_NOTHING,
};

pub(super) const CLINE: Real = Real {
    name: "cline",
    args: "--auto-approve false",
    with_hooks: "",
    needed: false,
    ready: "Plan ● Act",
    flashes: false,
    blanks: false,
    // It takes y and n, and no Enter.
    permission: None,
    question: Some(("ask Which of them", "Beta")),
    menu: ("/settings", "switch tabs"),
    interrupted: &["word3"],
    suspends: false,
    leave: "/quit",
    commands: &[],
    hooks: false,
    puts_back: false,
    queues: false,
    tells: TELLS_NOTHING,
};
