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
set -g __tmux_sesh_helpers sesh-new sesh-adopt sesh-list sesh-set sesh-end sesh-restore sesh-gather sesh-run sesh-send sesh-pane sesh-enter sesh-wait sesh-explain sesh-reap sesh-save sesh-report sesh-hooks sesh-doctor pane-capture pane-keys pane-resolve
set -g __tmux_sesh_aliases ls=sesh-list kill=sesh-end attach=sesh-enter capture=pane-capture keys=pane-keys resolve=pane-resolve
complete -c tmux-sesh -f
complete -c tmux-sesh -n '__tmux_sesh_at 1' -s h -l help -d 'Print help'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -s V -l version -d 'Print version'
complete -c tmux-sesh -n 'not __tmux_sesh_at 1' -a '(__tmux_sesh_below)'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a help -d 'Print the help of a helper'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a new -d 'Make a sesh: a pane with a name, a command and a memory'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a adopt -d 'Make a sesh of an existing pane'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a list -d 'Find seshes and show them'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a set -d 'Rename, tag, archive, annotate a sesh'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a end -d 'End seshes: an idle agent leaves by its own way out, else HUP, then TERM'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a restore -d 'Bring an ended sesh back: the same identity in a new pane, its agent in the same conversation'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a gather -d 'Read what came of a set of seshes: state, exit, duration and all that each printed'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a run -d 'Run a sesh\'s command in its pane, record its end, hold the pane readable'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a send -d 'Send a message to agents and shells, and prove that it arrived'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a pane -d 'Say which sesh a pane is: uuid, name, state and agent on one line, tab-separated'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a enter -d 'Go to a sesh: switch the client that asked, or attach'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a wait -d 'Wait for a sesh: until it is idle, needs a person, has ended, prints …'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a explain -d 'Say why a sesh or a pane counts as what it counts as: every source with its age, the rule that held, who won'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a reap -d 'Mend what tmux remembers of seshes where it is not so any more'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a save -d 'Write down what must outlive the tmux server, where that was missed'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a report -d 'Tell the state of the agent in this pane: what agents\' hooks call'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a hooks -d 'Put the hooks that report an agent\'s state into its own configuration, show them, take them out'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a doctor -d 'Say what is well and what is not, each with the way to mend it'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a pane-capture -d 'Print the text of a pane: of a sesh, also an ended one, or of any pane'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a pane-keys -d 'Type keys and text into a pane'
complete -c tmux-sesh -n '__tmux_sesh_at 1' -a pane-resolve -d 'Say which agent lives in a pane, registered or not: kind, conversation, pid, uuid, state and reason, tab-separated'
complete -c sesh-new -f
complete -c sesh-new -l name -x -d 'The same as the first argument'
complete -c sesh-new -l agent -x -a '(__tmux_sesh_kinds claude codex pi gemini opencode copilot aider qwen kimi cline)' -d 'Launch this agent'
complete -c sesh-new -l tag -x -a '(__tmux_sesh_tags)' -d 'A tag; may be repeated'
complete -c sesh-new -l cwd -x -a '(__fish_complete_directories)' -d 'The folder it starts in [default: this one]'
complete -c sesh-new -l env -x -d 'A variable for it, on top of this environment; may be repeated'
complete -c sesh-new -l rows -x -d 'The height of its pane [default: this client\'s, else 50]'
complete -c sesh-new -l cols -x -d 'The width of its pane [default: this client\'s, else 200]'
complete -c sesh-new -l fixed-size -d 'Keep that size, whichever client looks at it'
complete -c sesh-new -l session -d 'In a session of its own'
complete -c sesh-new -l window -d 'In a window of this session'
complete -c sesh-new -l split -x -a 'h v' -d 'In a split of this pane: h (beside) or v (below)'
complete -c sesh-new -l target -x -a '(__tmux_sesh_sessions)' -d 'In this session, and this window of it; made when absent'
complete -c sesh-new -l parent -x -a '(__tmux_sesh_targets)' -d 'The sesh it belongs to [default: the one this pane is]'
complete -c sesh-new -l owner -x -a '(__tmux_sesh_owners)' -d 'Who answers for it, and whose limit (@sesh-max) counts [default: the sesh that this pane is]'
complete -c sesh-new -l ttl -x -d 'After this time sesh-reap ends it, as in 90s, 2h or 1day: HUP, TERM, then KILL'
complete -c sesh-new -l note -x -d 'A note'
complete -c sesh-new -l id -x -a '(__tmux_sesh_uuids)' -d 'Its identity, a UUID that was never used here'
complete -c sesh-new -l send -x -d 'Send it this first message when it is ready for one, as sesh-send does'
complete -c sesh-new -l wait -d 'Wait for the end of what the message begins; without one until it has ended, is idle or needs a person'
complete -c sesh-new -l reply -d 'Wait, and print the agent\'s answer to the first message, as sesh-send does; with --json on a second line'
complete -c sesh-new -l no-launch -d 'Make the pane, but wait there for Enter before the command starts'
complete -c sesh-new -l enter -d 'Go there'
complete -c sesh-new -l dry-run -d 'Say what would be done and do nothing'
complete -c sesh-new -l json -d 'Print the record as JSON'
complete -c sesh-new -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c sesh-new -s S -r -F -d 'The tmux server with this socket path'
complete -c sesh-new -s h -l help -d 'Print help'
complete -c sesh-new -s V -l version -d 'Print version'
complete -c sesh-new -n 'contains -- -- (commandline -opc)' -a '(__tmux_sesh_command)'
complete -c sesh-adopt -f
complete -c sesh-adopt -l name -x -d 'Its name, unique among the living; generated if left out'
complete -c sesh-adopt -l agent -x -a '(__tmux_sesh_kinds claude codex pi gemini opencode copilot aider qwen kimi cline)' -d 'The agent that lives there. Where none is found (ssh, docker exec), the program in front counts as it until that ends'
complete -c sesh-adopt -l conv -x -d 'The agent\'s conversation id'
complete -c sesh-adopt -l tag -x -a '(__tmux_sesh_tags)' -d 'A tag; may be repeated'
complete -c sesh-adopt -l force -d 'Also when another pane has that conversation'
complete -c sesh-adopt -l json -d 'Print the record as JSON'
complete -c sesh-adopt -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c sesh-adopt -s S -r -F -d 'The tmux server with this socket path'
complete -c sesh-adopt -s h -l help -d 'Print help'
complete -c sesh-adopt -s V -l version -d 'Print version'
complete -c sesh-adopt -n '__tmux_sesh_at 1 --name --agent --conv --tag -L -S' -a '(__tmux_sesh_panes)'
complete -c sesh-list -f
complete -c sesh-list -l tag -l tagged -x -a '(__tmux_sesh_tags)' -d 'Only those with this tag; may be repeated'
complete -c sesh-list -l agent -x -a '(__tmux_sesh_agents)' -d 'Only those of this agent'
complete -c sesh-list -l state -x -a '(__tmux_sesh_list starting busy waiting idle exited unknown failed)' -d 'Only those in one of these states; failed ones are exited ones whose command has failed'
complete -c sesh-list -l mine -d 'Only those that the sesh of this pane made: it is their owner or their parent'
complete -c sesh-list -l owner -x -a '(__tmux_sesh_owners)' -d 'Only those of this owner'
complete -c sesh-list -l archived -d 'Archived ones too'
complete -c sesh-list -l all -d 'Archived ones and ended ones too'
complete -c sesh-list -l all-servers -d 'Those of every tmux server of this user\'s, each with its socket: those whose sockets $SESH_TMUX_SOCKETS names, paths with a colon between them, else all in tmux\'s folder'
complete -c sesh-list -l tags -d 'The tags in use, with their counts, instead'
complete -c sesh-list -l columns -x -a '(__tmux_sesh_list uuid name agent machine status state cwd tags archived live tmux-socket tmux-session tmux-window tmux-pane why since by gen note parent owner conversation command exit created updated expires was socket age where)' -d 'These columns as tab-separated values, in which a tab, a newline and a backslash are \\t, \\n and \\\\'
complete -c sesh-list -l json -d 'An array of records'
complete -c sesh-list -l format -x -d 'This tmux format, a line a pane, as in \'#{@sesh_name} #{pane_title}\''
complete -c sesh-list -l no-header -d 'No header line'
complete -c sesh-list -l watch -d 'Stay, and show it again when it changes: on a terminal the picker as a dashboard, where nothing but --tag, --agent, --state, --all and --archived says what to show; else after an empty line (--json: a line each)'
complete -c sesh-list -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c sesh-list -s S -r -F -d 'The tmux server with this socket path'
complete -c sesh-list -s h -l help -d 'Print help'
complete -c sesh-list -s V -l version -d 'Print version'
complete -c sesh-list -n '__tmux_sesh_at 1+ --tag --tagged --agent --state --owner --columns --format -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-set -f
complete -c sesh-set -l tagged -x -a '(__tmux_sesh_tags)' -d 'Every sesh that has a pane and this tag, instead; may be repeated: those that have all of them'
complete -c sesh-set -l name -x -d 'Give it this name, unique among the living'
complete -c sesh-set -l tag -x -a '(__tmux_sesh_tags)' -d 'Add this tag; may be repeated'
complete -c sesh-set -l untag -x -a '(__tmux_sesh_tags)' -d 'Take this tag away; may be repeated'
complete -c sesh-set -l retag -x -a '(__tmux_sesh_retags)' -d 'Replace a tag; may be repeated'
complete -c sesh-set -l archive -d 'Put it away: hidden from lists, kept all the same'
complete -c sesh-set -l unarchive -d 'Take it out again'
complete -c sesh-set -l note -x -d 'Give it this note; an empty one removes it'
complete -c sesh-set -l meta -x -d 'Set a field of your own; an empty value removes it; may be repeated'
complete -c sesh-set -l parent -x -a '(__tmux_sesh_targets)' -d 'The sesh it belongs to; an empty one removes it'
complete -c sesh-set -l json -d 'Print the changed records as JSON'
complete -c sesh-set -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c sesh-set -s S -r -F -d 'The tmux server with this socket path'
complete -c sesh-set -s h -l help -d 'Print help'
complete -c sesh-set -s V -l version -d 'Print version'
complete -c sesh-set -n '__tmux_sesh_at 1+ --tagged --name --tag --untag --retag --note --meta --parent -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-end -f
complete -c sesh-end -l tag -l tagged -x -a '(__tmux_sesh_tags)' -d 'End every sesh with this tag that has a pane; may be repeated: those that have all of them. With --forget exited ones too'
complete -c sesh-end -l kill -d 'KILL what does not end otherwise'
complete -c sesh-end -l forget -d 'Remove the record too; also of ended and archived ones'
complete -c sesh-end -l older -x -d 'Forget the exited seshes that exited longer ago than this, with --tag only those with the tag, and print each: uuid and name, tab-separated. Archived ones stay, and so do those that are offered for a restore'
complete -c sesh-end -l timeout -x -d 'How long HUP and TERM may take together [default: 5s]'
complete -c sesh-end -l json -d 'Print an array with an object for each sesh: uuid, name, pane, ended, forgotten, exit (the exit code for it), message (why it failed) and alive (pid and name of what is still alive of its terminal)'
complete -c sesh-end -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c sesh-end -s S -r -F -d 'The tmux server with this socket path'
complete -c sesh-end -s h -l help -d 'Print help'
complete -c sesh-end -s V -l version -d 'Print version'
complete -c sesh-end -n '__tmux_sesh_at 1+ --tag --tagged --older --timeout -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-restore -f
complete -c sesh-restore -l tag -l tagged -x -a '(__tmux_sesh_tags)' -d 'Restore every exited sesh with this tag, of each name the newest; may be repeated: those that have all of them. With --last-alive only those of them'
complete -c sesh-restore -l target -x -a '(__tmux_sesh_sessions)' -d 'Put it into this session, and this window of it; made when absent [default: its former session]'
complete -c sesh-restore -l last-alive -d 'All that were alive when the last tmux server died'
complete -c sesh-restore -l dry-run -d 'Only say what would be brought back and what would not, and why'
complete -c sesh-restore -l dismiss -d 'Do not bring those back, and ask no more'
complete -c sesh-restore -l resurrect -r -F -d 'Have those go on that tmux-resurrect has brought the panes of back, as sesh-save wrote them into that file: for its hook post-restore-all'
complete -c sesh-restore -l resurrect-begins -d 'Remember which panes are there, for its hook pre-restore-all'
complete -c sesh-restore -l run -d 'Run a command that would otherwise be typed and wait for Enter'
complete -c sesh-restore -l timeout -x -d 'How long an agent may take until it is there [default: 2m]'
complete -c sesh-restore -l enter -d 'Go there'
complete -c sesh-restore -l json -d 'Print the record as JSON; of several an array of records, with --dismiss that of those that are not offered any more'
complete -c sesh-restore -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c sesh-restore -s S -r -F -d 'The tmux server with this socket path'
complete -c sesh-restore -s h -l help -d 'Print help'
complete -c sesh-restore -s V -l version -d 'Print version'
complete -c sesh-restore -n '__tmux_sesh_at 1 --tag --tagged --target --resurrect --timeout -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-restore -n 'contains -- -- (commandline -opc)' -a '(__tmux_sesh_command)'
complete -c sesh-gather -f
complete -c sesh-gather -l tag -l tagged -x -a '(__tmux_sesh_tags)' -d 'All with this tag; may be repeated: those that have all of them'
complete -c sesh-gather -s n -l lines -l tail -x -d 'Print only the last N lines of each [default: all]'
complete -c sesh-gather -l end -d 'End those whose output was read, as sesh-end does, the ones that still run too'
complete -c sesh-gather -l forget -d 'The same, and remove their records and kept lines'
complete -c sesh-gather -l kill -d 'KILL what does not end otherwise'
complete -c sesh-gather -l timeout -x -d 'How long HUP and TERM may take together [default: 5s]'
complete -c sesh-gather -l propagate -d 'Exit 1 if a command of the set failed, by its code, by a signal, or for an unknown cause'
complete -c sesh-gather -l json -d 'Print an array of results'
complete -c sesh-gather -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c sesh-gather -s S -r -F -d 'The tmux server with this socket path'
complete -c sesh-gather -s h -l help -d 'Print help'
complete -c sesh-gather -s V -l version -d 'Print version'
complete -c sesh-gather -n '__tmux_sesh_at 1+ --tag --tagged -n --lines --tail --timeout -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-run -f
complete -c sesh-run -l launch -r -F -d 'The launch file'
complete -c sesh-run -s h -l help -d 'Print help'
complete -c sesh-run -s V -l version -d 'Print version'
complete -c sesh-send -f
complete -c sesh-send -l tag -l tagged -x -a '(__tmux_sesh_tags)' -d 'Send it to every living sesh with this tag too, except the one of this pane; may be repeated: those that have all of them. Then the message is the only argument, or the last one'
complete -c sesh-send -l file -r -F -d 'Read the message from a file'
complete -c sesh-send -l wait -d 'Wait for the end of what the message begins'
complete -c sesh-send -l reply -d 'Wait, and print the agent\'s answer: from its transcript, its hook, or the screen, which stderr says'
complete -c sesh-send -l queue -d 'If the agent works: into its own queue, for when it has finished; nothing is typed where it has a command for that'
complete -c sesh-send -l now -d 'If the agent works: at once, into what it does; where it has no such thing, that is interrupted'
complete -c sesh-send -l draft -x -a 'refuse wait stash' -d 'If a person has typed something and not sent it'
complete -c sesh-send -l no-enter -d 'Leave the message in the composer'
complete -c sesh-send -l as-it-is -d 'Also a message that the agent takes for a command'
complete -c sesh-send -l timeout -x -d 'How long the delivery may take, from the start on [default: 30s]'
complete -c sesh-send -l json -d 'A line of JSON for each target'
complete -c sesh-send -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c sesh-send -s S -r -F -d 'The tmux server with this socket path'
complete -c sesh-send -s h -l help -d 'Print help'
complete -c sesh-send -s V -l version -d 'Print version'
complete -c sesh-send -n '__tmux_sesh_at 1+ --tag --tagged --file --draft --timeout -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-pane -f
complete -c sesh-pane -l pane -x -a '(__tmux_sesh_panes)' -d 'The pane: the same as a TARGET that is one'
complete -c sesh-pane -l socket-path -r -F -d 'The tmux server with this socket path: the same as -S'
complete -c sesh-pane -l format -x -d 'Print this tmux format instead, as in \'#{@sesh_name}\''
complete -c sesh-pane -l json -d 'Print the record as JSON'
complete -c sesh-pane -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c sesh-pane -s S -r -F -d 'The tmux server with this socket path'
complete -c sesh-pane -s h -l help -d 'Print help'
complete -c sesh-pane -s V -l version -d 'Print version'
complete -c sesh-pane -n '__tmux_sesh_at 1 --pane --socket-path --format -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-enter -f
complete -c sesh-enter -l next -d 'The one that needs you: it waits, or it has finished and was not looked at since; again for the next'
complete -c sesh-enter -l last -d 'Back to where this client was before it was taken somewhere by one of these keys or by sesh-enter; again to return'
complete -c sesh-enter -l client -x -a '(__tmux_sesh_clients)' -d 'The client to switch [default: the one that looks at this session]'
complete -c sesh-enter -l read-only -d 'Look without being able to type'
complete -c sesh-enter -l print -d 'Print the tmux command that would go there, and do nothing'
complete -c sesh-enter -l picker -x -a 'builtin fzf tree' -d 'Which picker [default: @sesh-picker, else builtin]'
complete -c sesh-enter -l pick -d 'Print what was chosen instead of going there; it is chosen on the terminal, whatever stdout is'
complete -c sesh-enter -l format -x -a 'json nul kv' -d 'How it is printed: an object, its values each ended by a NUL, or key=value lines'
complete -c sesh-enter -l select -x -a '(__tmux_sesh_uuids)' -d 'Choose this one without asking'
complete -c sesh-enter -l enter -d 'Go there too'
complete -c sesh-enter -l cursor -x -a '(__tmux_sesh_uuids)' -d 'The one that is chosen at first'
complete -c sesh-enter -l filter -x -d 'What is typed already'
complete -c sesh-enter -l all -d 'Show archived and ended ones too, from the start'
complete -c sesh-enter -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c sesh-enter -s S -r -F -d 'The tmux server with this socket path'
complete -c sesh-enter -s h -l help -d 'Print help'
complete -c sesh-enter -s V -l version -d 'Print version'
complete -c sesh-enter -n '__tmux_sesh_at 1 --client --picker --format --select --cursor --filter -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-wait -f
complete -c sesh-wait -l tag -l tagged -x -a '(__tmux_sesh_tags)' -d 'And those with this tag, also when they come later or ended less than ten minutes ago; several mean all of them'
complete -c sesh-wait -l for -x -a 'idle waiting busy exit turn change output= quiet=' -d 'Until it is idle, waiting, busy, exit, turn (it was busy and is no more), output=REGEX, quiet=DURATION or change (of anything); may be repeated; idle, waiting or exit where it is left out'
complete -c sesh-wait -l any -d 'Until it happened to one of them; this is what is done anyway'
complete -c sesh-wait -l all -d 'Until it happened to each of them'
complete -c sesh-wait -l since -x -a 'start now' -d 'From where the wait that gave this cursor ended; start (or an empty text) is no cursor, now is --fresh'
complete -c sesh-wait -l fresh -d 'Only what happens from now on'
complete -c sesh-wait -l timeout -x -d 'How long'
complete -c sesh-wait -l follow -d 'Go on after each event, until all have ended'
complete -c sesh-wait -l propagate -d 'Exit with 1 when one that ended did not end with 0'
complete -c sesh-wait -l json -d 'A JSON object a line, with the record'
complete -c sesh-wait -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c sesh-wait -s S -r -F -d 'The tmux server with this socket path'
complete -c sesh-wait -s h -l help -d 'Print help'
complete -c sesh-wait -s V -l version -d 'Print version'
complete -c sesh-wait -n '__tmux_sesh_at 1+ --tag --tagged --for --since --timeout -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-explain -f
complete -c sesh-explain -l json -d 'Print it as JSON'
complete -c sesh-explain -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c sesh-explain -s S -r -F -d 'The tmux server with this socket path'
complete -c sesh-explain -s h -l help -d 'Print help'
complete -c sesh-explain -s V -l version -d 'Print version'
complete -c sesh-explain -n '__tmux_sesh_at 1 -L -S' -a '(__tmux_sesh_targets)'
complete -c sesh-reap -f
complete -c sesh-reap -l json -d 'Print the changes as JSON'
complete -c sesh-reap -l closed -d 'Write down only the ends of seshes whose pane has closed'
complete -c sesh-reap -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c sesh-reap -s S -r -F -d 'The tmux server with this socket path'
complete -c sesh-reap -s h -l help -d 'Print help'
complete -c sesh-reap -s V -l version -d 'Print version'
complete -c sesh-save -f
complete -c sesh-save -l resurrect -d 'Print which pane is which sesh, for the end of the file of tmux-resurrect: for its hook post-save-layout'
complete -c sesh-save -l json -d 'Print the journal\'s file and how many lines were written'
complete -c sesh-save -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c sesh-save -s S -r -F -d 'The tmux server with this socket path'
complete -c sesh-save -s h -l help -d 'Print help'
complete -c sesh-save -s V -l version -d 'Print version'
complete -c sesh-report -f
complete -c sesh-report -l from -x -a 'claude codex gemini opencode pi' -d 'The agent whose payload it is'
complete -c sesh-report -l state -x -a 'starting busy waiting idle unknown' -d 'What it does now'
complete -c sesh-report -l why -x -a 'permission question trust login dialog' -d 'What it waits for'
complete -c sesh-report -l conversation -x -d 'The id of the conversation that it is in'
complete -c sesh-report -l event -x -d 'The word for what happened'
complete -c sesh-report -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c sesh-report -s S -r -F -d 'The tmux server with this socket path'
complete -c sesh-report -s h -l help -d 'Print help'
complete -c sesh-report -s V -l version -d 'Print version'
complete -c sesh-hooks -f
complete -c sesh-hooks -l skill -d 'Not the hooks, but the skill: a text that tells the agent itself how to use tmux-sesh'
complete -c sesh-hooks -l dry-run -d 'Show what would change, and change nothing'
complete -c sesh-hooks -l json -d 'Print the status as JSON; of a change an array with agent, file, change (installed, removed or none), kept (where the file is as it was) and note'
complete -c sesh-hooks -s h -l help -d 'Print help'
complete -c sesh-hooks -s V -l version -d 'Print version'
complete -c sesh-hooks -n '__tmux_sesh_at 1 ' -a 'install status remove'
complete -c sesh-hooks -n '__tmux_sesh_at 2+ ' -a 'claude codex gemini opencode pi'
complete -c sesh-doctor -f
complete -c sesh-doctor -l json -d 'Print the findings as JSON: level, area, id (the word of a problem, null where all is well), what and mend'
complete -c sesh-doctor -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c sesh-doctor -s S -r -F -d 'The tmux server with this socket path'
complete -c sesh-doctor -s h -l help -d 'Print help'
complete -c sesh-doctor -s V -l version -d 'Print version'
complete -c pane-capture -f
complete -c pane-capture -s n -l lines -l tail -x -d 'The last N lines that hold text'
complete -c pane-capture -l screen -d 'The whole screen, empty lines too'
complete -c pane-capture -l scrollback -d 'The screen and all its history, or the last N lines of history'
complete -c pane-capture -l since -x -a 'start now' -d 'Only what is new since a cursor, lines joined: start (all there is), now (nothing), or the `next` that the last call gave (--json, --cursor). A line that was changed on the screen comes again, with all below it; a full-screen program\'s screen comes whole when anything on it changed'
complete -c pane-capture -l cursor -d 'Print the next cursor first, as a line of its own'
complete -c pane-capture -l ansi -d 'With colours and attributes'
complete -c pane-capture -l join -d 'Join lines that the pane\'s width has wrapped'
complete -c pane-capture -l json -d 'With the pane\'s size, cursor and mode, as JSON'
complete -c pane-capture -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c pane-capture -s S -r -F -d 'The tmux server with this socket path'
complete -c pane-capture -s h -l help -d 'Print help'
complete -c pane-capture -s V -l version -d 'Print version'
complete -c pane-capture -n '__tmux_sesh_at 1 -n --lines --tail --since -L -S' -a '(__tmux_sesh_targets)'
complete -c pane-keys -f
complete -c pane-keys -l literal -x -d 'This text, to the letter, before the keys'
complete -c pane-keys -l repeat -x -d 'All of it so many times'
complete -c pane-keys -l leave-mode -d 'Leave copy mode first'
complete -c pane-keys -l to-mode -d 'The keys are for copy mode'
complete -c pane-keys -l to-held -d 'The keys are for the prompt of a held pane: Enter closes it, r runs its command again'
complete -c pane-keys -l synchronized -d 'Also to the other panes, if the window\'s panes are synchronised'
complete -c pane-keys -l json -d 'Print where the keys went, as JSON: uuid and name of the sesh (null for another pane), and pane'
complete -c pane-keys -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c pane-keys -s S -r -F -d 'The tmux server with this socket path'
complete -c pane-keys -s h -l help -d 'Print help'
complete -c pane-keys -s V -l version -d 'Print version'
complete -c pane-keys -n '__tmux_sesh_at 1 --literal --repeat -L -S' -a '(__tmux_sesh_targets)'
complete -c pane-keys -n '__tmux_sesh_at 2+ --literal --repeat -L -S' -a 'Enter Escape Tab BTab Space BSpace Up Down Left Right Home End PageUp PageDown IC DC C-a C-c C-d C-e C-k C-l C-r C-u C-w C-z F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12'
complete -c pane-resolve -f
complete -c pane-resolve -l pane -x -a '(__tmux_sesh_panes)' -d 'The pane: the same as a TARGET that is one'
complete -c pane-resolve -l socket-path -r -F -d 'The tmux server with this socket path: the same as -S'
complete -c pane-resolve -l json -d 'Print it as JSON'
complete -c pane-resolve -s L -x -a '(__tmux_sesh_sockets)' -d 'The tmux server with this socket name'
complete -c pane-resolve -s S -r -F -d 'The tmux server with this socket path'
complete -c pane-resolve -s h -l help -d 'Print help'
complete -c pane-resolve -s V -l version -d 'Print version'
complete -c pane-resolve -n '__tmux_sesh_at 1 --pane --socket-path -L -S' -a '(__tmux_sesh_targets)'
# end
