# Completions of the helpers of tmux-sesh for fish: source this file in ~/.config/fish/config.fish.
#
# Names, tags and panes are asked of the tmux server that the line names, else of the default one; each question is one
# process. Kinds of agents are looked for in the user's folder of them. The table is made from the helpers themselves:
# UPDATE=1 cargo test --test it generated_docs

# Runs a program with the line's server.
function __tmux_sesh_ask
    set -l server
    set -l tokens (commandline -opc)
    for at in (seq (count $tokens))
        switch $tokens[$at]
            case -L -S
                set server $tokens[$at..(math $at + 1)]
            case '-L*' '-S*'
                set server $tokens[$at]
        end
    end
    command $argv[1] $server $argv[2..] 2>/dev/null
end

# The word at the cursor, without the option that it may be the value of.
function __tmux_sesh_word
    string replace -r '^--[^=]*=' '' -- (commandline -ct) | string unescape
end

# Whether the cursor is at the argument in a place, of 2+ also in a later one. The options that take a value come behind.
function __tmux_sesh_at
    set -l place 1
    set -l value
    for token in (commandline -opc)[2..]
        if set -q value[1]
            set value
        else if contains -- $token $argv[2..]
            set value $token
        else if not string match -q -- '-*' $token
            set place (math $place + 1)
        end
    end
    switch $argv[1]
        case '*+'
            test $place -ge (string replace + '' $argv[1])
        case '*'
            test $place -eq $argv[1]
    end
end

# Completes the tokens from a number on as a line of their own, behind the other words that it is given.
function __tmux_sesh_line
    set -l tokens (commandline -opc)
    set -e tokens[1..(math $argv[1] - 1)]
    complete -C (string join ' ' -- $argv[2..] (string escape -- $tokens) (commandline -ct))
end

# Completes a helper below tmux-sesh.
function __tmux_sesh_below
    set -l helper (commandline -opc)[2]
    if test "$helper" = help
        string replace -r '^sesh-' '' -- $__tmux_sesh_helpers
        return
    end
    for alias in $__tmux_sesh_aliases
        if string match -q -- "$helper=*" $alias
            set helper (string replace -r '.*=' '' -- $alias)
        end
    end
    if contains -- sesh-$helper $__tmux_sesh_helpers
        set helper sesh-$helper
    end
    __tmux_sesh_line 3 $helper
end

# Completes a command and its arguments behind --.
function __tmux_sesh_command
    __tmux_sesh_line (math 1 + (contains -i -- -- (commandline -opc)))
end

function __tmux_sesh_targets
    set -l word (__tmux_sesh_word)
    if string match -qr '^[.%]' -- $word
        __tmux_sesh_panes
        return
    end
    set -l begins '^'(string escape --style=regex -- $word)
    set -l ended
    # Archived ones, and then those without a pane, only where no other is meant: there may be very many of them.
    for flags in --no-header '--no-header --all'
        set -l here
        set ended
        __tmux_sesh_ask sesh-list (string split ' ' -- $flags) --columns name,tmux-pane,state | while read -l -d \t name pane state
            if test -n "$pane"
                set -a here $name\t$state
            else
                set -a ended $name\t$state
            end
        end
        if string match -qr -- $begins $here
            string join \n -- $here
            return
        end
    end
    string join \n -- $ended
end

function __tmux_sesh_panes
    if string match -q '.*' -- (__tmux_sesh_word)
        printf '.\tthis pane\n'
    else
        __tmux_sesh_ask tmux -u list-panes -a -F '#{pane_id} #{@sesh_name}' | string replace ' ' \t
    end
end

function __tmux_sesh_tags
    __tmux_sesh_ask sesh-list --tags --no-header | string replace -r ' .*' ''
end

function __tmux_sesh_retags
    set -l old (string match -r '.*=' -- (__tmux_sesh_word))
    set -l tags (__tmux_sesh_tags)
    if test -n "$old"
        string join \n -- $old$tags
    else
        string join \n -- $tags=
    end
end

# The values that a column of the list has.
function __tmux_sesh_column
    __tmux_sesh_ask sesh-list --all --no-header --columns $argv | string match -v ''
end

function __tmux_sesh_agents
    __tmux_sesh_column agent
end

function __tmux_sesh_owners
    __tmux_sesh_column owner
end

function __tmux_sesh_uuids
    __tmux_sesh_column uuid
end

function __tmux_sesh_sockets
    set -l folder /tmp
    set -q TMUX_TMPDIR[1]
    and set folder $TMUX_TMPDIR
    for socket in $folder/tmux-(id -u)/*
        string replace -r '.*/' '' -- $socket
    end
end

# Kinds of agents: those that come along, which it is given, and those that the user's files define.
function __tmux_sesh_kinds
    set -l folder $HOME/.config
    if string match -q '/*' -- "$XDG_CONFIG_HOME"
        set folder $XDG_CONFIG_HOME
    end
    string join \n -- $argv
    for file in $folder/tmux-sesh/agents/*.toml
        string match -rq '/(?<kind>[a-z0-9-]+)\.toml$' -- $file
        and not contains -- $kind $argv
        and echo $kind
    end
end

function __tmux_sesh_clients
    __tmux_sesh_ask tmux -u list-clients -F '#{client_name}'
end

function __tmux_sesh_sessions
    __tmux_sesh_ask tmux -u list-sessions -F '#{session_name}'
end

# Words with commas between.
function __tmux_sesh_list
    set -l before (string match -r '.*,' -- (__tmux_sesh_word))
    string join \n -- "$before"$argv
end

# table: takes
set -g __tmux_sesh_helpers sesh-new sesh-adopt sesh-list sesh-set sesh-end sesh-restore sesh-gather sesh-run sesh-send sesh-delegate sesh-pane sesh-enter sesh-wait sesh-work sesh-log sesh-land sesh-lock sesh-explain sesh-reap sesh-save sesh-report sesh-hooks sesh-doctor pane-capture pane-keys pane-resolve
set -g __tmux_sesh_aliases ls=sesh-list kill=sesh-end attach=sesh-enter capture=pane-capture keys=pane-keys resolve=pane-resolve
complete -c tmux-sesh -f
complete -c tmux-sesh -n '__tmux_sesh_at 1' -s h -l help -d 'Print help'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -s V -l version -d 'Print version'
complete -c tmux-sesh -n 'not __tmux_sesh_at 1' -a '(__tmux_sesh_below)'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a help -d 'Print the help of a helper'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a new -d 'Create a sesh: a new pane with a name that runs a command, an agent or a shell'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a adopt -d 'Register an existing pane, or a conversation of an agent, as a sesh'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a list -d 'List seshes, with their states'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a set -d 'Rename, tag, annotate or archive seshes'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a end -d 'End seshes: have an idle agent quit, else send HUP, then TERM'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a restore -d 'Restore an exited sesh: the same identity in a new pane, its agent in the same conversation'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a gather -d 'Collect the results of a set of seshes: state, exit code, duration and output'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a run -d 'Run the command of a sesh in its pane, record its end and hold the pane'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a send -d 'Send a message to agents and shells, and prove that it was delivered'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a delegate -d 'Have an agent answer one task, print the answer, and leave nothing behind'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a pane -d 'Print which sesh a pane is: uuid, name, state and agent'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a enter -d 'Go to a sesh: switch this client, or attach'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a wait -d 'Wait until a sesh is idle, waits for a person, exits or prints something'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a work -d 'Claim items of work, and show who works on what'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a log -d 'Print the transcript of an agent: prompts, answers and tools'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a land -d 'Test a branch on top of the target, and land it'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a lock -d 'Run a command while no other one on this machine holds the same lock'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a explain -d 'Explain how a pane\'s state was decided'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a reap -d 'Reconcile stored state with the panes and processes that exist'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a save -d 'Write to the journal what it lacks, and compact it'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a report -d 'Report the state of the agent in this pane; the hooks of agents call it'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a hooks -d 'Install, show or remove the hooks that report an agent\'s state'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a doctor -d 'Diagnose tmux, the helpers and the plugin, and say how to fix each problem'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a pane-capture -d 'Print the text of a pane, also of a sesh that has exited'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a pane-keys -d 'Type keys and text into a pane'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a pane-resolve -d 'Print which agent runs in a pane: kind, conversation, pid, uuid, state and reason'
complete -c sesh-new -f
complete -c sesh-new -l name -x -d 'The name, as an option instead of the first argument'
complete -c sesh-new -l agent -x -a '(__tmux_sesh_kinds claude codex pi gemini opencode copilot aider qwen kimi cline)' -d 'Launch this kind of agent'
complete -c sesh-new -l model -x -d 'With --agent: let it use this model [default: option @sesh-model-KIND, else @sesh-model, else the agent\'s own]'
complete -c sesh-new -l list-models -d 'With --agent: print the models that it offers, and create nothing'
complete -c sesh-new -l tag -x -a '(__tmux_sesh_tags)' -d 'Give it this tag; may be repeated'
complete -c sesh-new -l cwd -x -a '(__fish_complete_directories)' -d 'Start in this folder [default: the current one]'
complete -c sesh-new -l work -x -d 'Claim this item of the repository, or the next one that is ready, and start in a new worktree on a branch of its own. With --agent the item is the first message'
complete -c sesh-new -l worktree -x -d 'Start in a new worktree on this branch, which starts at the fetched target if it does not exist [default: the name]'
complete -c sesh-new -l env -x -d 'Set this environment variable for its command; may be repeated'
complete -c sesh-new -l rows -x -d 'The height of the pane [default: that of this client, else 50]'
complete -c sesh-new -l cols -x -d 'The width of the pane [default: that of this client, else 200]'
complete -c sesh-new -l fixed-size -d 'Keep this size, whichever client shows the pane'
complete -c sesh-new -l session -d 'Create it in a session of its own'
complete -c sesh-new -l window -d 'Create it in a window of this session'
complete -c sesh-new -l split -x -a 'h v' -d 'Create it in a split of this pane: h (beside it) or v (below it)'
complete -c sesh-new -l target -x -a '(__tmux_sesh_sessions)' -d 'Create it in this session and window; what does not exist is created'
complete -c sesh-new -l parent -x -a '(__tmux_sesh_targets)' -d 'The parent of the new sesh [default: the sesh of this pane]'
complete -c sesh-new -l owner -x -a '(__tmux_sesh_owners)' -d 'Whose limit (@sesh-max) it counts towards [default: the sesh of this pane]'
complete -c sesh-new -l ttl -x -d 'End it after this time, as in 90s, 2h or 1day: sesh-reap sends HUP, TERM, then KILL [default: never]'
complete -c sesh-new -l note -x -d 'Give it this note'
complete -c sesh-new -l id -x -a '(__tmux_sesh_uuids)' -d 'Use this UUID, which must never have been used here [default: generated]'
complete -c sesh-new -l send -x -d 'Send this message as soon as it accepts one, as sesh-send does'
complete -c sesh-new -l wait -d 'With --send, wait until the agent has finished with the message; without it, until the sesh is idle, waits for a person or has exited. Give up after DURATION'
complete -c sesh-new -l reply -d 'Wait, and print the agent\'s answer to the first message, as sesh-send does; with --json on a second line'
complete -c sesh-new -l headless -d 'Have the agent answer the message without a pane to attend to, and exit; sesh-send gives it the next one. With --wait=DURATION the turn is ended after that time, else after 1h'
complete -c sesh-new -l allow -x -d 'With --headless: let the agent use this tool without asking, in its own words; may be repeated'
complete -c sesh-new -l no-launch -d 'Create the pane, but start the command only when a person presses Enter in it'
complete -c sesh-new -l enter -d 'Go to the new pane'
complete -c sesh-new -l dry-run -d 'Print what would be done, and do nothing'
complete -c sesh-new -l json -d 'Print the record as JSON'
complete -c sesh-new -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-new -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-new -s h -l help -d 'Print help'
complete -c sesh-new -s V -l version -d 'Print version'
complete -c sesh-new -n 'contains -- -- (commandline -opc)' -a '(__tmux_sesh_command)'
complete -c sesh-adopt -f
complete -c sesh-adopt -l name -x -d 'The name, unique among live seshes [default: generated]'
complete -c sesh-adopt -l agent -x -a '(__tmux_sesh_kinds claude codex pi gemini opencode copilot aider qwen kimi cline)' -d 'The kind of agent that runs there [default: detected]. Where none is detected, as behind ssh or docker exec, the foreground program counts as this agent until it ends'
complete -c sesh-adopt -l conv -x -d 'The id of the agent\'s conversation [default: detected]'
complete -c sesh-adopt -l cwd -x -a '(__fish_complete_directories)' -d 'With --agent and --conv: register this conversation, which has no pane, as an exited sesh of this folder'
complete -c sesh-adopt -l tag -x -a '(__tmux_sesh_tags)' -d 'Give it this tag; may be repeated'
complete -c sesh-adopt -l force -d 'Register it even if another pane has the same conversation, or with --cwd if the agent has no transcript of it'
complete -c sesh-adopt -l json -d 'Print the record as JSON'
complete -c sesh-adopt -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-adopt -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-adopt -s h -l help -d 'Print help'
complete -c sesh-adopt -s V -l version -d 'Print version'
complete -c sesh-adopt -n '__tmux_sesh_at 1 --name --agent --conv --cwd --tag -L -S' -a '(__tmux_sesh_panes)'
complete -c sesh-list -f
complete -c sesh-list -l tag -l tagged -x -a '(__tmux_sesh_tags)' -d 'List only seshes with this tag; repeat it to require several tags'
complete -c sesh-list -l agent -x -a '(__tmux_sesh_agents)' -d 'List only seshes of this kind of agent'
complete -c sesh-list -l state -x -a '(__tmux_sesh_list starting busy waiting idle exited unknown failed)' -d 'List only seshes in one of these states; failed means exited seshes whose command has failed'
complete -c sesh-list -l mine -d 'List only seshes whose owner or parent is the sesh of this pane'
complete -c sesh-list -l owner -x -a '(__tmux_sesh_owners)' -d 'List only seshes of this owner'
complete -c sesh-list -l archived -d 'List archived seshes, too'
complete -c sesh-list -l all -d 'List archived and exited seshes, too'
complete -c sesh-list -l all-servers -d 'List the seshes of all tmux servers of this user, each with its socket. The sockets are those in $SESH_TMUX_SOCKETS (paths separated by colons), else all in tmux\'s folder'
complete -c sesh-list -l tags -d 'List the tags in use and how many seshes have each, instead'
complete -c sesh-list -l columns -x -a '(__tmux_sesh_list uuid name agent machine status state cwd tags archived live tmux-socket tmux-session tmux-window tmux-pane why since by gen note parent owner conversation command exit created updated expires was socket age where claim model context title)' -d 'Print these columns, separated by tabs. In values a tab, a newline and a backslash are \\t, \\n and \\\\'
complete -c sesh-list -l json -d 'Print an array of records as JSON'
complete -c sesh-list -l format -x -d 'Print this tmux format, one line for each pane, as in \'#{@sesh_name} #{pane_title}\''
complete -c sesh-list -l no-header -d 'Print no header line'
complete -c sesh-list -l watch -d 'Keep running, and print the list again when it changes. On a terminal the picker opens as a dashboard, if only --tag, --agent, --state, --all and --archived are given. Else each list follows an empty line; with --json each is one line'
complete -c sesh-list -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-list -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-list -s h -l help -d 'Print help'
complete -c sesh-list -s V -l version -d 'Print version'
complete -c sesh-list -n '__tmux_sesh_at 1+ --tag --tagged --agent --state --owner --columns --format -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-set -f
complete -c sesh-set -l tagged -x -a '(__tmux_sesh_tags)' -d 'Change every sesh that has a pane and this tag; repeat it to require several tags'
complete -c sesh-set -l name -x -d 'Rename it; the name must be unique among live seshes'
complete -c sesh-set -l autoname -d 'Name it after its conversation: the agent\'s title, else the first prompt, as in fix-login-race'
complete -c sesh-set -l tag -x -a '(__tmux_sesh_tags)' -d 'Add this tag; may be repeated'
complete -c sesh-set -l untag -x -a '(__tmux_sesh_tags)' -d 'Remove this tag; may be repeated'
complete -c sesh-set -l retag -x -a '(__tmux_sesh_retags)' -d 'Replace a tag by another; may be repeated'
complete -c sesh-set -l archive -d 'Archive it: hide it from lists without ending it'
complete -c sesh-set -l unarchive -d 'Show it in lists again'
complete -c sesh-set -l note -x -d 'Set its note; an empty text removes it'
complete -c sesh-set -l meta -x -d 'Set a field of your own; an empty value removes it; may be repeated'
complete -c sesh-set -l parent -x -a '(__tmux_sesh_targets)' -d 'Set the sesh that it belongs to; an empty text removes it'
complete -c sesh-set -l json -d 'Print the changed records as JSON'
complete -c sesh-set -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-set -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-set -s h -l help -d 'Print help'
complete -c sesh-set -s V -l version -d 'Print version'
complete -c sesh-set -n '__tmux_sesh_at 1+ --tagged --name --tag --untag --retag --note --meta --parent -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-end -f
complete -c sesh-end -l tag -l tagged -x -a '(__tmux_sesh_tags)' -d 'End every sesh with this tag that has a pane; repeat it to require several tags. With --forget exited ones too'
complete -c sesh-end -l kill -d 'Send KILL to what does not end otherwise'
complete -c sesh-end -l forget -d 'Remove the record too; works for exited and archived seshes'
complete -c sesh-end -l older -x -d 'Forget the exited seshes that exited longer ago than this, with --tag only those with the tag, and print each: uuid and name, tab-separated. Archived ones stay, and so do those that are offered for a restore'
complete -c sesh-end -l timeout -x -d 'Give up this long after the first signal [default: 5s]'
complete -c sesh-end -l json -d 'Print an array with an object for each sesh: uuid, name, pane, ended, forgotten, exit (the exit code for it), message (why it failed) and alive (pid and name of what is still alive of its terminal)'
complete -c sesh-end -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-end -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-end -s h -l help -d 'Print help'
complete -c sesh-end -s V -l version -d 'Print version'
complete -c sesh-end -n '__tmux_sesh_at 1+ --tag --tagged --older --timeout -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-restore -f
complete -c sesh-restore -l tag -l tagged -x -a '(__tmux_sesh_tags)' -d 'Restore the newest exited sesh of each name that has this tag; repeat it to require several tags. With --last-alive, restore only those of its seshes that have the tag'
complete -c sesh-restore -l from -r -F -d 'Register the seshes of this file as exited ones: a file of sesh-save --export, or a sessions.json of sesh v1. What is known here stays as it is. With --last-alive, restore those that were alive when it was written'
complete -c sesh-restore -l target -x -a '(__tmux_sesh_sessions)' -d 'Put it into this session, and this window of it; made when absent [default: its former session]'
complete -c sesh-restore -l last-alive -d 'Restore all seshes that were alive when the last tmux server died'
complete -c sesh-restore -l dry-run -d 'Print what would be restored, and what would not and why; do nothing'
complete -c sesh-restore -l dismiss -d 'Do not restore the seshes that were alive when the last tmux server died, and do not offer them again'
complete -c sesh-restore -l resurrect -r -F -d 'Restore the seshes whose panes tmux-resurrect has restored, from the lines that sesh-save wrote into this file; for its hook post-restore-all'
complete -c sesh-restore -l resurrect-begins -d 'Record which panes exist; the hook pre-restore-all of tmux-resurrect calls it'
complete -c sesh-restore -l run -d 'Run the command at once, instead of typing it without Enter'
complete -c sesh-restore -l timeout -x -d 'Give up if an agent has not started after this long [default: 2m]'
complete -c sesh-restore -l enter -d 'Go to the new pane'
complete -c sesh-restore -l json -d 'Print the record as JSON; of several an array of records, with --dismiss that of those that are not offered any more'
complete -c sesh-restore -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-restore -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-restore -s h -l help -d 'Print help'
complete -c sesh-restore -s V -l version -d 'Print version'
complete -c sesh-restore -n '__tmux_sesh_at 1 --tag --tagged --from --target --resurrect --timeout -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-restore -n 'contains -- -- (commandline -opc)' -a '(__tmux_sesh_command)'
complete -c sesh-gather -f
complete -c sesh-gather -l tag -l tagged -x -a '(__tmux_sesh_tags)' -d 'Read all seshes with this tag; repeat it to require several tags'
complete -c sesh-gather -s n -l lines -l tail -x -d 'Print only the last N lines of each [default: all]'
complete -c sesh-gather -l end -d 'End every sesh whose output was read, as sesh-end does, also those that still run'
complete -c sesh-gather -l forget -d 'Like --end, and remove their records and saved lines'
complete -c sesh-gather -l kill -d 'Send KILL to what does not end otherwise'
complete -c sesh-gather -l timeout -x -d 'Give up ending this long after the first signal [default: 5s]'
complete -c sesh-gather -l propagate -d 'Exit 1 if a command of the set failed: by its exit code, by a signal, or for an unknown cause'
complete -c sesh-gather -l json -d 'Print an array of JSON objects'
complete -c sesh-gather -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-gather -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-gather -s h -l help -d 'Print help'
complete -c sesh-gather -s V -l version -d 'Print version'
complete -c sesh-gather -n '__tmux_sesh_at 1+ --tag --tagged -n --lines --tail --timeout -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-run -f
complete -c sesh-run -l launch -r -F -d 'The launch file that sesh-new wrote'
complete -c sesh-run -s h -l help -d 'Print help'
complete -c sesh-run -s V -l version -d 'Print version'
complete -c sesh-send -f
complete -c sesh-send -l tag -l tagged -x -a '(__tmux_sesh_tags)' -d 'Also send to every live sesh with this tag, except the one of this pane; repeat it to require several tags. Other targets are optional then, and the message stays the last argument'
complete -c sesh-send -l file -r -F -d 'Read the message from this file'
complete -c sesh-send -l wait -d 'Wait until the agent has finished with the message. Give up after DURATION'
complete -c sesh-send -l reply -d 'Wait, and print the agent\'s answer: from its transcript, its hook, or (with a note on stderr) the screen'
complete -c sesh-send -l queue -d 'If the agent is busy: put the message into the agent\'s own queue'
complete -c sesh-send -l now -d 'If the agent is busy: give it the message at once; an agent that cannot take one is interrupted first'
complete -c sesh-send -l compact -d 'Send no message, but the agent\'s own command that compacts its conversation; takes one target'
complete -c sesh-send -l draft -x -a 'refuse wait stash' -d 'What to do if a person has typed a draft and not sent it'
complete -c sesh-send -l no-enter -d 'Type the message, but do not press Enter'
complete -c sesh-send -l as-it-is -d 'Send the message even if the agent interprets it as a command'
complete -c sesh-send -l headless -d 'Have an exited agent answer without a pane, in its conversation; one that was created so needs no flag. With --wait=DURATION the turn is ended after that time, else after 1h'
complete -c sesh-send -l allow -x -d 'In a headless turn: let the agent use this tool without asking, in its own words; may be repeated'
complete -c sesh-send -l timeout -x -d 'Give up the delivery after this long [default: 30s]'
complete -c sesh-send -l json -d 'Print a line of JSON for each target'
complete -c sesh-send -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-send -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-send -s h -l help -d 'Print help'
complete -c sesh-send -s V -l version -d 'Print version'
complete -c sesh-send -n '__tmux_sesh_at 1+ --tag --tagged --file --draft --allow --timeout -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-delegate -f
complete -c sesh-delegate -l agent -x -a '(__tmux_sesh_kinds claude codex pi gemini opencode copilot aider qwen kimi cline)' -d 'The kind of agent'
complete -c sesh-delegate -l model -x -d 'Let it use this model [default: option @sesh-model-KIND, else @sesh-model, else the agent\'s own]'
complete -c sesh-delegate -l keep -d 'Keep the sesh: sesh-send gives it the next task, and sesh-enter opens its conversation in a pane'
complete -c sesh-delegate -l name -x -d 'With --keep, the name of the sesh [default: generated]'
complete -c sesh-delegate -l tag -x -a '(__tmux_sesh_tags)' -d 'Give the sesh this tag; may be repeated'
complete -c sesh-delegate -l cwd -x -a '(__fish_complete_directories)' -d 'Have it work in this folder [default: the current one]'
complete -c sesh-delegate -l allow -x -d 'Let it use this tool without asking, in the agent\'s own words, such as \'Bash(git log:*)\'; may be repeated'
complete -c sesh-delegate -l env -x -d 'Set this environment variable for the agent; may be repeated'
complete -c sesh-delegate -l timeout -x -d 'End the turn after this time [default: 1h]'
complete -c sesh-delegate -l json -d 'Print an object with the answer, the refused tools and the usage as JSON'
complete -c sesh-delegate -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-delegate -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-delegate -s h -l help -d 'Print help'
complete -c sesh-delegate -s V -l version -d 'Print version'
complete -c sesh-pane -f
complete -c sesh-pane -l pane -x -a '(__tmux_sesh_panes)' -d 'The pane; the same as %N as the TARGET'
complete -c sesh-pane -l socket-path -r -F -d 'Use the tmux server with this socket path; the same as -S'
complete -c sesh-pane -l format -x -d 'Print this tmux format instead, as in \'#{@sesh_name}\''
complete -c sesh-pane -l json -d 'Print the record as JSON'
complete -c sesh-pane -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-pane -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-pane -s h -l help -d 'Print help'
complete -c sesh-pane -s V -l version -d 'Print version'
complete -c sesh-pane -n '__tmux_sesh_at 1 --pane --socket-path --format -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-enter -f
complete -c sesh-enter -l next -d 'Go to the next sesh that waits for a person or is unread; repeat for the one after it'
complete -c sesh-enter -l last -d 'Go back to where this client was before a key of the plugin or sesh-enter moved it; repeat to return'
complete -c sesh-enter -l client -x -a '(__tmux_sesh_clients)' -d 'Switch this client [default: the one that shows this session]'
complete -c sesh-enter -l read-only -d 'Attach or switch read-only'
complete -c sesh-enter -l print -d 'Print the tmux command that would go there, and do not run it'
complete -c sesh-enter -l json -d 'Print the record of the sesh as JSON; with a TARGET or --next'
complete -c sesh-enter -l picker -x -a 'builtin fzf tree' -d 'Use this picker [default: @sesh-picker, else builtin]'
complete -c sesh-enter -l pick -d 'Print the chosen sesh instead of going there. The picker uses the terminal, even if stdout is a pipe'
complete -c sesh-enter -l format -x -a 'json nul kv' -d 'Print the choice as a JSON object, as values that each end with a NUL, or as key=value lines'
complete -c sesh-enter -l select -x -a '(__tmux_sesh_uuids)' -d 'Choose this sesh without opening the picker'
complete -c sesh-enter -l enter -d 'Also go to the chosen sesh, besides printing it'
complete -c sesh-enter -l cursor -x -a '(__tmux_sesh_uuids)' -d 'Place the cursor on this sesh at the start'
complete -c sesh-enter -l filter -x -d 'Start with this filter text'
complete -c sesh-enter -l all -d 'Show archived and exited seshes from the start'
complete -c sesh-enter -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-enter -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-enter -s h -l help -d 'Print help'
complete -c sesh-enter -s V -l version -d 'Print version'
complete -c sesh-enter -n '__tmux_sesh_at 1 --client --picker --format --select --cursor --filter -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-wait -f
complete -c sesh-wait -l tag -l tagged -x -a '(__tmux_sesh_tags)' -d 'Wait for all seshes with this tag, also those that get it later or exited in the last ten minutes; repeat it to require several tags'
complete -c sesh-wait -l for -x -a 'idle waiting busy exit turn change output= quiet=' -d 'Wait for this event: idle, waiting, busy, exit, turn (the end of busy), output=REGEX, quiet=DURATION or change (of anything); may be repeated [default: idle, waiting, exit]'
complete -c sesh-wait -l any -d 'Return when any one matches (default)'
complete -c sesh-wait -l all -d 'Return when all have matched'
complete -c sesh-wait -l since -x -a 'start now' -d 'Continue where the wait that printed this cursor ended; start (or an empty text) is no cursor, now is --fresh'
complete -c sesh-wait -l fresh -d 'Ignore conditions that already hold'
complete -c sesh-wait -l timeout -x -d 'Give up after this long [default: never]'
complete -c sesh-wait -l follow -d 'Continue after each event, until all have exited'
complete -c sesh-wait -l propagate -d 'Exit 1 if a sesh exited with anything but 0'
complete -c sesh-wait -l json -d 'Print each event as a line of JSON, with the record'
complete -c sesh-wait -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-wait -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-wait -s h -l help -d 'Print help'
complete -c sesh-wait -s V -l version -d 'Print version'
complete -c sesh-wait -n '__tmux_sesh_at 1+ --tag --tagged --for --since --timeout -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-work -f
complete -c sesh-work -l worktree -x -a '(__fish_complete_directories)' -d 'claim: make a worktree on a branch of its own, in this folder [default: below @sesh-worktrees]'
complete -c sesh-work -l branch -x -d 'claim: work on this branch [default: the registry\'s, else feature/ID]'
complete -c sesh-work -l path -x -d 'claim: the work changes these paths, a glob; may be repeated'
complete -c sesh-work -l step -x -d 'claim: what the sesh does first'
complete -c sesh-work -l wait -x -d 'claim: wait until the item is free, or until one is ready. Give up after DURATION'
complete -c sesh-work -l override -x -d 'claim: claim it in spite of a high risk of a conflict; the reason is recorded'
complete -c sesh-work -l done -x -d 'step: how many steps are done'
complete -c sesh-work -l total -x -d 'step: how many steps there are'
complete -c sesh-work -l clear -d 'block: the work can continue'
complete -c sesh-work -l force -x -d 'take: take it although the holder may be alive; the reason is recorded, and the holder is told'
complete -c sesh-work -l abandon -x -d 'drop: the item is not worked any more; its work is saved in refs/sesh/rescue/ID'
complete -c sesh-work -l id -x -d 'step, block: the item, for a sesh with several claims'
complete -c sesh-work -l watch -d 'The board: print it again when it changes, until it is interrupted'
complete -c sesh-work -l group -x -a 'active waiting silent gone unknown blocked ready dependency draft elsewhere done landing' -d 'The board: show these groups alone; may be repeated'
complete -c sesh-work -l json -d 'Print the result as JSON'
complete -c sesh-work -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-work -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-work -s h -l help -d 'Print help'
complete -c sesh-work -s V -l version -d 'Print version'
complete -c sesh-work -n '__tmux_sesh_at 1 --worktree --branch --path --step --wait --override --done --total --force --abandon --id --group -L -S' -a 'claim step block take drop show import'
complete -c sesh-log -f
complete -c sesh-log -s n -l turns -x -d 'Print the last TURNS turns: a turn is a prompt with all that follows it'
complete -c sesh-log -l whole -d 'Print the whole conversation'
complete -c sesh-log -l since -x -a 'start now' -d 'Print only what is new since a cursor: start (everything), now (nothing), or the last cursor of --json'
complete -c sesh-log -s f -l follow -d 'Keep running, and print what is added, also in the next conversation, until the agent exits'
complete -c sesh-log -l json -d 'Print one JSON object a line. The last one has the cursor for --since; with --follow, one follows each addition'
complete -c sesh-log -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-log -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-log -s h -l help -d 'Print help'
complete -c sesh-log -s V -l version -d 'Print version'
complete -c sesh-log -n '__tmux_sesh_at 1 -n --turns --since -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-land -f
complete -c sesh-land -l priority -x -a 'critical high normal low' -d 'Land before those that are less urgent [default: that of the item, else normal]'
complete -c sesh-land -l json -d 'Print a JSON object, also for what is blocked'
complete -c sesh-land -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-land -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-land -s h -l help -d 'Print help'
complete -c sesh-land -s V -l version -d 'Print version'
complete -c sesh-lock -f
complete -c sesh-lock -l wait -x -d 'Wait for the lock, at most this long [default: do not wait]'
complete -c sesh-lock -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-lock -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-lock -s h -l help -d 'Print help'
complete -c sesh-lock -s V -l version -d 'Print version'
complete -c sesh-lock -n 'contains -- -- (commandline -opc)' -a '(__tmux_sesh_command)'
complete -c sesh-explain -f
complete -c sesh-explain -l json -d 'Print JSON'
complete -c sesh-explain -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-explain -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-explain -s h -l help -d 'Print help'
complete -c sesh-explain -s V -l version -d 'Print version'
complete -c sesh-explain -n '__tmux_sesh_at 1 -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-reap -f
complete -c sesh-reap -l json -d 'Print the changes as JSON'
complete -c sesh-reap -l closed -d 'Record only the ends of seshes whose pane has closed'
complete -c sesh-reap -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-reap -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-reap -s h -l help -d 'Print help'
complete -c sesh-reap -s V -l version -d 'Print version'
complete -c sesh-save -f
complete -c sesh-save -l resurrect -d 'Print which pane is which sesh, for the save file of tmux-resurrect; for its hook post-save-layout'
complete -c sesh-save -l export -r -F -d 'Also write all seshes into this file, for sesh-restore --from on another machine or server. It replaces an earlier file in one step. The transcripts of agents are in it, unless --no-transcripts is given'
complete -c sesh-save -l no-transcripts -d 'With --export: leave the transcripts of agents out'
complete -c sesh-save -l json -d 'Print the journal\'s file and how many lines were written, as JSON; with --export the file and the numbers of seshes and transcripts'
complete -c sesh-save -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-save -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-save -s h -l help -d 'Print help'
complete -c sesh-save -s V -l version -d 'Print version'
complete -c sesh-report -f
complete -c sesh-report -l from -x -a 'claude codex gemini opencode pi' -d 'Read the hook payload of this kind of agent'
complete -c sesh-report -l state -x -a 'starting busy waiting idle unknown' -d 'The state of the agent'
complete -c sesh-report -l why -x -a 'permission question trust login dialog' -d 'What the agent waits for'
complete -c sesh-report -l conversation -x -d 'The id of the agent\'s conversation'
complete -c sesh-report -l event -x -d 'A word for the event'
complete -c sesh-report -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-report -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-report -s h -l help -d 'Print help'
complete -c sesh-report -s V -l version -d 'Print version'
complete -c sesh-hooks -f
complete -c sesh-hooks -l skill -d 'Act on the skill, a text that teaches the agent to use tmux-sesh, instead of the hooks'
complete -c sesh-hooks -l dry-run -d 'Show what would change, and change nothing'
complete -c sesh-hooks -l json -d 'Print the status as JSON. For install and remove, print an array with agent, file, change (installed, removed or none), kept (the path of the copy from before the change) and note'
complete -c sesh-hooks -s h -l help -d 'Print help'
complete -c sesh-hooks -s V -l version -d 'Print version'
complete -c sesh-hooks -n '__tmux_sesh_at 1 ' -a 'install status remove'
complete -c sesh-hooks -n '__tmux_sesh_at 2+ ' -a 'claude codex gemini opencode pi'
complete -c sesh-doctor -f
complete -c sesh-doctor -l json -d 'Print the findings as JSON: level, area, id (the word for the problem, null for none), what and mend (how to fix it)'
complete -c sesh-doctor -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c sesh-doctor -s S -r -F -d 'Use the tmux server with this socket path'
complete -c sesh-doctor -s h -l help -d 'Print help'
complete -c sesh-doctor -s V -l version -d 'Print version'
complete -c pane-capture -f
complete -c pane-capture -s n -l lines -l tail -x -d 'Print the last N lines, up to the last one that holds text'
complete -c pane-capture -l screen -d 'Print the whole screen, with its empty lines'
complete -c pane-capture -l scrollback -d 'Print the screen and all of its history, or its last N lines of history'
complete -c pane-capture -l since -x -a 'start now' -d 'Print only what is new since a cursor: start (everything), now (nothing), or the next cursor of an earlier call (--cursor, --json). Wrapped lines are joined. A line that changed on the screen is printed again with all lines below it; the screen of a full-screen program is printed whole when anything on it has changed'
complete -c pane-capture -l cursor -d 'Print the next cursor first, on a line of its own'
complete -c pane-capture -l ansi -d 'Keep colours and attributes, as escape sequences'
complete -c pane-capture -l join -d 'Join lines that were wrapped at the pane\'s width'
complete -c pane-capture -l json -d 'Print JSON, with the pane\'s size, cursor and mode'
complete -c pane-capture -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c pane-capture -s S -r -F -d 'Use the tmux server with this socket path'
complete -c pane-capture -s h -l help -d 'Print help'
complete -c pane-capture -s V -l version -d 'Print version'
complete -c pane-capture -n '__tmux_sesh_at 1 -n --lines --tail --since -L -S' -a '(__tmux_sesh_targets)'
complete -c pane-keys -f
complete -c pane-keys -l interrupt -d 'Interrupt the agent there with its own keys, and wait until it has stopped. Prints interrupted, or not busy where it was idle and no key was sent. Exit 6 if it still works after --timeout'
complete -c pane-keys -l timeout -x -d 'With --interrupt: give up after this long [default: 10s]'
complete -c pane-keys -l literal -x -d 'Type this text before the keys, as it is'
complete -c pane-keys -l repeat -x -d 'Type text and keys this many times'
complete -c pane-keys -l leave-mode -d 'Leave copy mode first'
complete -c pane-keys -l to-mode -d 'Send the keys to copy mode'
complete -c pane-keys -l to-held -d 'Send the keys to the prompt of a held pane: Enter closes it, r runs its command again'
complete -c pane-keys -l synchronized -d 'Send also where the window\'s panes are synchronised: then to all of them'
complete -c pane-keys -l json -d 'Print where the keys went, as JSON: uuid and name of the sesh (null for another pane), pane, and with --interrupt whether the agent was interrupted'
complete -c pane-keys -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c pane-keys -s S -r -F -d 'Use the tmux server with this socket path'
complete -c pane-keys -s h -l help -d 'Print help'
complete -c pane-keys -s V -l version -d 'Print version'
complete -c pane-keys -n '__tmux_sesh_at 1 --timeout --literal --repeat -L -S' -a '(__tmux_sesh_targets)'
complete -c pane-keys -n '__tmux_sesh_at 2+ --timeout --literal --repeat -L -S' -a 'Enter Escape Tab BTab Space BSpace Up Down Left Right Home End PageUp PageDown IC DC C-a C-c C-d C-e C-k C-l C-r C-u C-w C-z F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12'
complete -c pane-resolve -f
complete -c pane-resolve -l pane -x -a '(__tmux_sesh_panes)' -d 'The pane; the same as %N as the TARGET'
complete -c pane-resolve -l socket-path -r -F -d 'Use the tmux server with this socket path; the same as -S'
complete -c pane-resolve -l json -d 'Print JSON'
complete -c pane-resolve -s L -x -a '(__tmux_sesh_sockets)' -d 'Use the tmux server with this socket name'
complete -c pane-resolve -s S -r -F -d 'Use the tmux server with this socket path'
complete -c pane-resolve -s h -l help -d 'Print help'
complete -c pane-resolve -s V -l version -d 'Print version'
complete -c pane-resolve -n '__tmux_sesh_at 1 --pane --socket-path -L -S' -a '(__tmux_sesh_targets)'
# end
