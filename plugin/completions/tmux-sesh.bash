# shellcheck shell=bash
# Completions of the helpers of tmux-sesh for bash 4 or newer: source this file in ~/.bashrc.
#
# Names, tags and panes are asked of the tmux server that the line names, else of the default one; each question is one
# process. Kinds of agents are looked for in the user's folder of them. What comes back is only ever compared and quoted.
# The functions share the variables of _tmux_sesh.

# The tables are made from the helpers themselves: UPDATE=1 cargo test --test it generated_docs

# What a helper takes: NAME, or NAME=KIND with a value. Of arguments 1 is the first, + each further one, and -- is what
# comes after --.
_tmux_sesh_takes() {
  # shellcheck disable=SC2034 # it is the caller's
  case $1 in
    # table: takes
    tmux-sesh | help)
      takes=(
        '1=words:new,adopt,list,set,end,restore,gather,run,send,delegate,pane,enter,wait,work,log,land,lock,explain,reap,save,report,hooks,doctor,pane-capture,pane-keys,pane-resolve,help'
        '-h' '--help' '-V' '--version'
      )
      ;;
    new | sesh-new)
      takes=(
        '1=text' '--=command' '--name=text'
        '--agent=kinds:claude,codex,pi,gemini,opencode,copilot,aider,qwen,kimi,cline' '--model=text'
        '--list-models' '--tag=tags' '--cwd=folder' '--work=text' '--worktree=text' '--env=text'
        '--rows=text' '--cols=text' '--fixed-size' '--session' '--window' '--split=words:h,v'
        '--target=sessions' '--parent=targets' '--owner=owners' '--ttl=text' '--note=text' '--id=uuids'
        '--send=text' '--wait' '--reply' '--headless' '--allow=text' '--no-launch' '--enter' '--dry-run'
        '--json' '-L=sockets' '-S=file' '-h' '--help' '-V' '--version'
      )
      ;;
    adopt | sesh-adopt)
      takes=(
        '1=panes' '--name=text'
        '--agent=kinds:claude,codex,pi,gemini,opencode,copilot,aider,qwen,kimi,cline' '--conv=text'
        '--cwd=folder' '--tag=tags' '--force' '--json' '-L=sockets' '-S=file' '-h' '--help' '-V'
        '--version'
      )
      ;;
    list | sesh-list | ls)
      takes=(
        '1=targets' '+=targets' '--tag=tags' '--tagged=tags' '--agent=agents'
        '--state=list:starting,busy,waiting,idle,exited,unknown,failed' '--mine' '--owner=owners'
        '--archived' '--all' '--all-servers' '--tags'
        '--columns=list:uuid,name,agent,machine,status,state,cwd,tags,archived,live,tmux-socket,tmux-session,tmux-window,tmux-pane,why,since,by,gen,note,parent,owner,conversation,command,exit,created,updated,expires,was,socket,age,where,claim,model,context,title'
        '--json' '--format=text' '--no-header' '--watch' '-L=sockets' '-S=file' '-h' '--help' '-V'
        '--version'
      )
      ;;
    set | sesh-set)
      takes=(
        '1=targets' '+=targets' '--tagged=tags' '--name=text' '--autoname' '--tag=tags' '--untag=tags'
        '--retag=retags' '--archive' '--unarchive' '--note=text' '--meta=text' '--parent=targets' '--json'
        '-L=sockets' '-S=file' '-h' '--help' '-V' '--version'
      )
      ;;
    end | sesh-end | kill)
      takes=(
        '1=targets' '+=targets' '--tag=tags' '--tagged=tags' '--kill' '--forget' '--older=text'
        '--timeout=text' '--json' '-L=sockets' '-S=file' '-h' '--help' '-V' '--version'
      )
      ;;
    restore | sesh-restore)
      takes=(
        '1=targets' '--=command' '--tag=tags' '--tagged=tags' '--from=file' '--target=sessions'
        '--last-alive' '--dry-run' '--dismiss' '--resurrect=file' '--resurrect-begins' '--run'
        '--timeout=text' '--enter' '--json' '-L=sockets' '-S=file' '-h' '--help' '-V' '--version'
      )
      ;;
    gather | sesh-gather)
      takes=(
        '1=targets' '+=targets' '--tag=tags' '--tagged=tags' '-n=text' '--lines=text' '--tail=text' '--end'
        '--forget' '--kill' '--timeout=text' '--propagate' '--json' '-L=sockets' '-S=file' '-h' '--help'
        '-V' '--version'
      )
      ;;
    run | sesh-run)
      takes=(
        '--launch=file' '-h' '--help' '-V' '--version'
      )
      ;;
    send | sesh-send)
      takes=(
        '1=targets' '+=targets' '--tag=tags' '--tagged=tags' '--file=file' '--wait' '--reply' '--queue'
        '--now' '--compact' '--draft=words:refuse,wait,stash' '--no-enter' '--as-it-is' '--headless'
        '--allow=text' '--timeout=text' '--json' '-L=sockets' '-S=file' '-h' '--help' '-V' '--version'
      )
      ;;
    delegate | sesh-delegate)
      takes=(
        '1=text' '--=text' '--agent=kinds:claude,codex,pi,gemini,opencode,copilot,aider,qwen,kimi,cline'
        '--model=text' '--keep' '--name=text' '--tag=tags' '--cwd=folder' '--allow=text' '--env=text'
        '--timeout=text' '--json' '-L=sockets' '-S=file' '-h' '--help' '-V' '--version'
      )
      ;;
    pane | sesh-pane)
      takes=(
        '1=targets' '--pane=panes' '--socket-path=file' '--format=text' '--json' '-L=sockets' '-S=file'
        '-h' '--help' '-V' '--version'
      )
      ;;
    enter | sesh-enter | attach)
      takes=(
        '1=targets' '--next' '--last' '--client=clients' '--read-only' '--print' '--json'
        '--picker=words:builtin,fzf,tree' '--pick' '--format=words:json,nul,kv' '--select=uuids' '--enter'
        '--cursor=uuids' '--filter=text' '--all' '-L=sockets' '-S=file' '-h' '--help' '-V' '--version'
      )
      ;;
    wait | sesh-wait)
      takes=(
        '1=targets' '+=targets' '--tag=tags' '--tagged=tags'
        '--for=words:idle,waiting,busy,exit,turn,change,output=,quiet=' '--any' '--all'
        '--since=words:start,now' '--fresh' '--timeout=text' '--follow' '--propagate' '--json' '-L=sockets'
        '-S=file' '-h' '--help' '-V' '--version'
      )
      ;;
    work | sesh-work)
      takes=(
        '1=words:claim,step,block,take,drop,show,import' '2=text' '--worktree=folder' '--branch=text'
        '--path=text' '--step=text' '--wait=text' '--override=text' '--done=text' '--total=text' '--clear'
        '--force=text' '--abandon=text' '--id=text' '--watch'
        '--group=words:active,waiting,silent,gone,unknown,blocked,ready,dependency,draft,elsewhere,done,landing'
        '--json' '-L=sockets' '-S=file' '-h' '--help' '-V' '--version'
      )
      ;;
    log | sesh-log)
      takes=(
        '1=targets' '-n=text' '--turns=text' '--whole' '--since=words:start,now' '-f' '--follow' '--json'
        '-L=sockets' '-S=file' '-h' '--help' '-V' '--version'
      )
      ;;
    land | sesh-land)
      takes=(
        '1=text' '--priority=words:critical,high,normal,low' '--json' '-L=sockets' '-S=file' '-h' '--help'
        '-V' '--version'
      )
      ;;
    lock | sesh-lock)
      takes=(
        '1=text' '--=command' '--wait=text' '-L=sockets' '-S=file' '-h' '--help' '-V' '--version'
      )
      ;;
    explain | sesh-explain)
      takes=(
        '1=targets' '--json' '-L=sockets' '-S=file' '-h' '--help' '-V' '--version'
      )
      ;;
    reap | sesh-reap)
      takes=(
        '--json' '--closed' '-L=sockets' '-S=file' '-h' '--help' '-V' '--version'
      )
      ;;
    save | sesh-save)
      takes=(
        '--resurrect' '--export=file' '--no-transcripts' '--json' '-L=sockets' '-S=file' '-h' '--help' '-V'
        '--version'
      )
      ;;
    report | sesh-report)
      takes=(
        '1=text' '--from=words:claude,codex,gemini,opencode,pi'
        '--state=words:starting,busy,waiting,idle,unknown'
        '--why=words:permission,question,trust,login,dialog' '--conversation=text' '--event=text'
        '-L=sockets' '-S=file' '-h' '--help' '-V' '--version'
      )
      ;;
    hooks | sesh-hooks)
      takes=(
        '1=words:install,status,remove' '2=words:claude,codex,gemini,opencode,pi'
        '+=words:claude,codex,gemini,opencode,pi' '--skill' '--dry-run' '--json' '-h' '--help' '-V'
        '--version'
      )
      ;;
    doctor | sesh-doctor)
      takes=(
        '--json' '-L=sockets' '-S=file' '-h' '--help' '-V' '--version'
      )
      ;;
    pane-capture | capture)
      takes=(
        '1=targets' '-n=text' '--lines=text' '--tail=text' '--screen' '--scrollback'
        '--since=words:start,now' '--cursor' '--ansi' '--join' '--json' '-L=sockets' '-S=file' '-h'
        '--help' '-V' '--version'
      )
      ;;
    pane-keys | keys)
      takes=(
        '1=targets'
        '2=words:Enter,Escape,Tab,BTab,Space,BSpace,Up,Down,Left,Right,Home,End,PageUp,PageDown,IC,DC,C-a,C-c,C-d,C-e,C-k,C-l,C-r,C-u,C-w,C-z,F1,F2,F3,F4,F5,F6,F7,F8,F9,F10,F11,F12'
        '+=words:Enter,Escape,Tab,BTab,Space,BSpace,Up,Down,Left,Right,Home,End,PageUp,PageDown,IC,DC,C-a,C-c,C-d,C-e,C-k,C-l,C-r,C-u,C-w,C-z,F1,F2,F3,F4,F5,F6,F7,F8,F9,F10,F11,F12'
        '--interrupt' '--timeout=text' '--literal=text' '--repeat=text' '--leave-mode' '--to-mode'
        '--to-held' '--synchronized' '--json' '-L=sockets' '-S=file' '-h' '--help' '-V' '--version'
      )
      ;;
    pane-resolve | resolve)
      takes=(
        '1=targets' '--pane=panes' '--socket-path=file' '--json' '-L=sockets' '-S=file' '-h' '--help' '-V'
        '--version'
      )
      ;;
    # end
  esac
}

# Reads the line as far as the cursor: the words before that at the cursor to words, that one to word, the quote that is
# open in it to quote, and to kept how many characters of it readline leaves as they are. Nothing is expanded.
# COMP_WORDS cuts at characters that names hold, and keeps quotes. Fails after a redirection.
_tmux_sesh_read() {
  local line=${COMP_LINE:0:COMP_POINT} at char outside=0 begun='' redirected=''
  for ((at = 0; at < ${#line}; at++)); do
    char=${line:at:1}
    case $quote$char in
      "''" | '""')
        quote='' kept=$outside
        continue
        ;;
      [\"\'])
        quote=$char outside=$kept kept=${#word} begun=1
        continue
        ;;
      \\ | \"\\)
        at=$((at + 1))
        char=${line:at:1}
        [ -z "$quote" ] || [[ $char == [\"\\\$\`] ]] || char=\\$char
        ;;
      [[:blank:]\<\>])
        if [ -n "$begun" ]; then
          [ -n "$redirected" ] || words+=("$word")
          redirected=''
        fi
        [[ $char == [[:blank:]] ]] || redirected=1
        word='' kept=0 begun=''
        continue
        ;;
      ?) [[ $COMP_WORDBREAKS != *"$char"* ]] || kept=$((${#word} + 1)) ;;
    esac
    word+=$char begun=1
  done
  [ -z "$redirected" ]
}

# Offers those values that go on from the word, quoted as it is. What the word has before the value is in before.
_tmux_sesh_offer() {
  local value
  for value; do
    value=$before$value
    [[ $value == "$word"* ]] || continue
    value=${value:kept}
    case $quote in
      # What would need more than these quotes is left out.
      \') [[ $value != *\'* ]] || continue ;;
      \") [[ $value != *[\"\\\$\`!]* ]] || continue ;;
      *) [[ $value != *[!a-zA-Z0-9_@%+=:,./-]* ]] || printf -v value %q "$value" ;;
    esac
    COMPREPLY+=("$value")
  done
}

# Sets kind to what an option, or the argument in a place, takes; fails if that is nothing.
_tmux_sesh_kind() {
  local one
  for one in "${takes[@]}"; do
    if [[ $one == "$1="* ]]; then
      kind=${one#*=}
      return
    fi
  done
  return 1
}

_tmux_sesh_list() {
  mapfile -t lines < <(command sesh-list "${server[@]}" --no-header "$@" 2>/dev/null)
}

_tmux_sesh_tmux() {
  mapfile -t lines < <(command tmux -u "${server[@]}" "$@" 2>/dev/null)
}

# Adds the kinds of agents that the user's files define to lines.
_tmux_sesh_own_kinds() {
  local folder=$HOME/.config file
  [[ ${XDG_CONFIG_HOME-} != /* ]] || folder=$XDG_CONFIG_HOME
  while read -r file; do
    file=${file##*/}
    [[ ! $file =~ ^[a-z0-9-]+\.toml$ || " ${lines[*]} " == *" ${file%.toml} "* ]] || lines+=("${file%.toml}")
  done < <(compgen -f -- "$folder/tmux-sesh/agents/")
}

# Offers the values of a kind.
_tmux_sesh_values() {
  local lines=() line ended=()
  case $1/${word#"$before"} in
    words:*)
      IFS=, read -ra lines <<<"${1#*:}"
      _tmux_sesh_offer "${lines[@]}"
      ;;
    list:*)
      [[ ${word#"$before"} != *,* ]] || before=${word%,*},
      compopt -o nospace
      _tmux_sesh_values "words:${1#*:}"
      ;;
    kinds:*)
      IFS=, read -ra lines <<<"${1#*:}"
      _tmux_sesh_own_kinds
      _tmux_sesh_offer "${lines[@]}"
      ;;
    targets/.* | panes/.*) _tmux_sesh_offer . ;;
    targets/%* | panes/*)
      _tmux_sesh_tmux list-panes -a -F '#{pane_id}'
      _tmux_sesh_offer "${lines[@]}"
      ;;
    targets/*)
      _tmux_sesh_list --columns name
      _tmux_sesh_offer "${lines[@]}"
      # Archived ones, and then those without a pane, only where no other is meant: there may be very many of them.
      [ ${#COMPREPLY[@]} -eq 0 ] || return
      _tmux_sesh_list --all --columns name,tmux-pane
      for line in "${lines[@]}"; do
        case $line in
          *$'\t%'*) _tmux_sesh_offer "${line%%$'\t'*}" ;;
          *) ended+=("${line%%$'\t'*}") ;;
        esac
      done
      [ ${#COMPREPLY[@]} -gt 0 ] || _tmux_sesh_offer "${ended[@]}"
      ;;
    tags/* | retags/*=*)
      [ "$1" = tags ] || before=${word%"${word#"$before"*=}"}
      _tmux_sesh_list --tags
      _tmux_sesh_offer "${lines[@]%% *}"
      ;;
    retags/*)
      compopt -o nospace
      _tmux_sesh_list --tags
      lines=("${lines[@]%% *}")
      _tmux_sesh_offer "${lines[@]/%/=}"
      ;;
    agents/* | owners/* | uuids/*)
      _tmux_sesh_list --all --columns "${1%s}"
      _tmux_sesh_offer "${lines[@]}"
      ;;
    sockets/*)
      lines=("${TMUX_TMPDIR:-/tmp}/tmux-$UID"/*)
      _tmux_sesh_offer "${lines[@]##*/}"
      ;;
    clients/*)
      _tmux_sesh_tmux list-clients -F '#{client_name}'
      _tmux_sesh_offer "${lines[@]}"
      ;;
    sessions/*)
      _tmux_sesh_tmux list-sessions -F '#{session_name}'
      _tmux_sesh_offer "${lines[@]}"
      ;;
    folder/*) compopt -o dirnames ;;
    file/*) compopt -o default ;;
  esac
}

# Completes a command and its arguments, which begin behind --.
_tmux_sesh_command() {
  local first=1 delegate
  while [ "${COMP_WORDS[first - 1]}" != -- ]; do
    first=$((first + 1))
  done
  # bash-completion has a function for that, by its new name or by its old one.
  for delegate in _comp_command_offset _command_offset; do
    if declare -F "$delegate" >/dev/null; then
      "$delegate" "$first"
      return
    fi
  done
  if [ "$COMP_CWORD" -eq "$first" ]; then
    mapfile -t COMPREPLY < <(compgen -c -- "$word")
  else
    compopt -o default
  fi
}

_tmux_sesh() {
  local words=() word='' quote='' kept=0 takes=() server=() kind before='' place=1 at one
  COMPREPLY=()
  if ! _tmux_sesh_read; then
    compopt -o default
    return
  fi
  if [ "${words[0]##*/}" = tmux-sesh ] && [ ${#words[@]} -gt 1 ]; then
    words=("${words[@]:1}")
  fi
  _tmux_sesh_takes "${words[0]##*/}"
  for ((at = 1; at < ${#words[@]}; at++)); do
    case ${words[at]} in
      --)
        if _tmux_sesh_kind --; then
          _tmux_sesh_command
          return
        fi
        ;;
      -L | -S) server=("${words[@]:at:2}") ;;
      -[LS]*) server=("${words[at]}") ;;
      -*) ;;
      *)
        place=$((place + 1))
        continue
        ;;
    esac
    if _tmux_sesh_kind "${words[at]}"; then
      at=$((at + 1))
    fi
  done
  if [ "$at" -gt ${#words[@]} ]; then
    # The word is the value of the option before it.
    _tmux_sesh_values "$kind"
  elif [[ $word == --*=* ]]; then
    before=${word%%=*}=
    ! _tmux_sesh_kind "${word%%=*}" || _tmux_sesh_values "$kind"
  elif [[ $word == -* ]]; then
    for one in "${takes[@]%%=*}"; do
      [[ $one != -?* || $one == -- ]] || _tmux_sesh_offer "$one"
    done
  elif _tmux_sesh_kind "$place" || _tmux_sesh_kind +; then
    _tmux_sesh_values "$kind"
  fi
}

# table: names
complete -F _tmux_sesh tmux-sesh \
  sesh-new \
  sesh-adopt \
  sesh-list \
  sesh-set \
  sesh-end \
  sesh-restore \
  sesh-gather \
  sesh-run \
  sesh-send \
  sesh-delegate \
  sesh-pane \
  sesh-enter \
  sesh-wait \
  sesh-work \
  sesh-log \
  sesh-land \
  sesh-lock \
  sesh-explain \
  sesh-reap \
  sesh-save \
  sesh-report \
  sesh-hooks \
  sesh-doctor \
  pane-capture \
  pane-keys \
  pane-resolve
# end
