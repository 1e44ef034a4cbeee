//! The three shells, as a person has them: in a pane, with our completions loaded.

use std::path::Path;

use crate::support::{Server, say, until, until_some};

/// How a shell is started with nothing but our completions, and what is typed on.
struct Start {
    program: &'static str,
    argv: &'static [&'static str],
    /// Where it looks for what it reads at its start, below its home.
    file: &'static str,
    /// What that says; `COMPLETIONS` is the folder of ours. C-t leaves the candidates for what is typed in `~/hits`, a
    /// line each and `<end>` last, and clears the line.
    text: &'static str,
}

const BASH: Start = Start {
    program: "bash",
    argv: &["bash", "-i"],
    file: ".bashrc",
    text: r#"
        source COMPLETIONS/tmux-sesh.bash
        PS1='ready> '
        hits() {
            COMP_LINE=$READLINE_LINE COMP_POINT=$READLINE_POINT READLINE_LINE= READLINE_POINT=0
            compopt() { :; }
            _tmux_sesh
            unset -f compopt
            { printf '%s\n' "${COMPREPLY[@]}"; echo '<end>'; } >~/hits
        }
        bind -x '"\C-t": hits'
    "#,
};

const ZSH: Start = Start {
    program: "zsh",
    argv: &["zsh", "-d", "-i"],
    file: ".zshrc",
    text: r#"
        fpath=(COMPLETIONS $fpath)
        autoload -U compinit
        compinit -u
        bindkey -e
        PS1='ready> '
        compadd() {
            # Those with -O, -A or -D only ask.
            if [[ " ${(j: :)@[1,(i)(-|--)]}" != *' -'[OAD]* ]]; then
                local -a found
                builtin compadd -O found "$@"
                print -rl -- $found >>~/hits.new
            fi
            builtin compadd "$@"
        }
        hits() {
            : >~/hits.new
            zle list-choices
            print '<end>' >>~/hits.new
            command mv ~/hits.new ~/hits
            zle kill-whole-line
        }
        zle -N hits
        bindkey '^T' hits
    "#,
};

const FISH: Start = Start {
    program: "fish",
    argv: &["fish", "-i"],
    file: ".config/fish/config.fish",
    text: r"
        source COMPLETIONS/tmux-sesh.fish
        set fish_greeting
        set fish_autosuggestion_enabled 0
        function fish_prompt
            printf 'ready> '
        end
        function hits
            begin
                complete -C (commandline -c) | string replace -r '\t.*' ''
                echo '<end>'
            end >~/hits
            commandline ''
        end
        bind \ct hits
    ",
};

/// A shell in a pane of a server.
pub(super) struct Shell<'a> {
    server: &'a Server,
    pub(super) program: &'static str,
    pane: String,
}

impl<'a> Shell<'a> {
    /// Every shell that is installed; says which is not.
    pub(super) fn all(server: &'a Server) -> Vec<Self> {
        server.install_probe();
        [BASH, ZSH, FISH]
            .into_iter()
            .filter_map(|start| {
                if which::which(start.program).is_err() {
                    say(&format!("not tested: {} is not installed", start.program));
                    return None;
                }
                Some(Self::open(server, &start))
            })
            .collect()
    }

    fn open(server: &'a Server, start: &Start) -> Self {
        let home = server.path(&format!("home/{}", start.program));
        let file = home.join(start.file);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a home");
        let completions = Path::new(env!("CARGO_MANIFEST_DIR")).join(super::COMPLETIONS);
        let text = start
            .text
            .replace("COMPLETIONS", &completions.display().to_string());
        std::fs::write(file, text).expect("the shell's file");
        let home = format!("HOME={}", home.display());
        let mut words = vec!["-s", start.program, "env", &home, "LC_ALL=C.UTF-8"];
        words.extend(start.argv);
        let pane = server.session((200, 50), &words);
        server.shows(&pane, "ready>");
        Self {
            server,
            program: start.program,
            pane,
        }
    }

    fn keys(&self, keys: &[&str]) {
        let words = ["send-keys", "-t", &self.pane, "--"];
        self.server.tmux(words.iter().chain(keys));
    }

    /// The words of a line after the completion of what is typed.
    pub(super) fn completed(&self, case: &str, typed: &str) -> Vec<String> {
        self.server
            .tmux(["send-keys", "-t", &self.pane, "-l", "--", typed]);
        self.keys(&["Tab", "C-a"]);
        let case = format!("{}-{case}", self.program);
        self.server.tmux([
            "send-keys",
            "-t",
            &self.pane,
            "-l",
            &format!("probe {case} "),
        ]);
        self.keys(&["Enter"]);
        let probe = self.server.probed(&case);
        probe
            .argv
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect()
    }

    /// What the shell offers at the end of a line.
    pub(super) fn candidates(&self, typed: &str) -> Vec<String> {
        let hits = self.server.path(&format!("home/{}/hits", self.program));
        self.server
            .tmux(["send-keys", "-t", &self.pane, "-l", "--", typed]);
        self.keys(&["C-t"]);
        let text = until_some("the shell has candidates", || {
            std::fs::read_to_string(&hits)
                .ok()
                .filter(|text| text.ends_with("<end>\n"))
        });
        std::fs::remove_file(&hits).expect("the candidates can be forgotten");
        let mut found: Vec<String> = text
            .lines()
            .filter(|line| !line.is_empty() && *line != "<end>")
            .map(Into::into)
            .collect();
        found.sort();
        found.dedup();
        found
    }

    /// Waits until the screen shows a prompt with nothing behind and nothing else.
    pub(super) fn is_clear(&self) {
        until("the screen is clear", || {
            self.server.screen(&self.pane).trim() == "ready>"
        });
    }
}
