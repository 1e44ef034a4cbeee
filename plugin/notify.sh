#!/bin/sh
# notify.sh PANE-NUMBER STATE: tells of an agent that waits or has finished, or of a command that has failed, as @sesh-notify says: bell, message, or a
# command, which finds the facts in its environment. They are read here: a text from outside, written into a command of
# run-shell, could run.
dir=$(cd -- "${0%/*}/.." && pwd -P) || exit 0
. "$dir/plugin/lib.sh"
exec </dev/null >/dev/null 2>&1
pane=%$1
SESH_PANE=$pane SESH_STATE=$2
SESH_ID=$(ask_pane '#{@sesh_id}')
SESH_NAME=$(ask_pane '#{@sesh_name}')
SESH_WHY=$(ask_pane '#{@sesh_why}')
SESH_AGENT=$(ask_pane '#{@sesh_agent}')
export SESH_PANE SESH_STATE SESH_ID SESH_NAME SESH_WHY SESH_AGENT
SESH_EXIT=
case $SESH_STATE in
  exited)
    SESH_EXIT=$(ask_pane '#{@sesh_exit}')
    case $SESH_EXIT in
      '- - '*) SESH_EXIT='unknown cause' ;;
      '- '*) SESH_EXIT=${SESH_EXIT#- } SESH_EXIT="signal ${SESH_EXIT%% *}" ;;
      *) SESH_EXIT="exit ${SESH_EXIT%% *}" ;;
    esac
    SESH_SENTENCE="$SESH_NAME has failed ($SESH_EXIT)"
    ;;
  waiting) SESH_SENTENCE="$SESH_NAME waits${SESH_WHY:+ ($SESH_WHY)}" ;;
  *) SESH_SENTENCE="$SESH_NAME has finished" ;;
esac
export SESH_SENTENCE SESH_EXIT
how=$(option @sesh-notify)
case $how in
  '' | off) ;;
  # As if the agent rang it: tmux marks the window, or does what a person has set for bells.
  bell) printf '\a' >"$(ask_pane '#{pane_tty}')" ;;
  message)
    # 3.2a takes no client here, and shows it to the one that was used last.
    tmux -u list-clients -F '#{client_name}' | while IFS= read -r client; do
      tmux -u display-message -c "$client" -d 5000 -- "$(word "$(shown "$SESH_SENTENCE")")" || tell "$SESH_SENTENCE"
    done
    ;;
  *) sh -c "$how" ;;
esac
exit 0
