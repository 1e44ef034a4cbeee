//! `sesh-work`: which sesh works on which item of a repository.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Parser, ValueEnum};

use super::sesh_new::folder;
use super::{ServerArgs, absolute};
use crate::clock;
use crate::error::{self, Error, ErrorKind, Exit, Result};
use crate::out;
use crate::tmux::Server;
use crate::work::board::Board;
use crate::work::caller::Caller;
use crate::work::claim::{self, ClaimRequest};
use crate::work::claim_json::ClaimJson;
use crate::work::claimed::{self, MadeClaim, WorktreeWish};
use crate::work::drop::{DroppedClaim, drop_claim};
use crate::work::holder::HolderView;
use crate::work::import;
use crate::work::item::ItemId;
use crate::work::ledger_state::LedgerState;
use crate::work::own::{self, OwnChange};
use crate::work::shown_item::ShownItem;
use crate::work::take;
use crate::work::workplace::Workplace;
use crate::work::worktree::WorktreeEnd;
use crate::work::{board_text, mirror, remote_claim};

pub(super) const EXAMPLES: super::Examples = &[
    ("Show who works on what, and what is ready", "sesh-work"),
    (
        "Claim the next item that is ready",
        "sesh-work claim --step 'reading the code'",
    ),
    (
        "Say how far the work is",
        "sesh-work step 'writing tests' --done 2 --total 5",
    ),
    (
        "Say why the work cannot continue",
        "sesh-work block 'needs the API key'",
    ),
    ("Continue it", "sesh-work block --clear"),
    ("Give the item back", "sesh-work drop"),
];

/// Claim items of work, and show who works on what
///
/// Without a verb it prints the board of the repository. claim [ID] claims an item for the sesh of this pane: without ID the
/// next one that is ready. step TEXT says what the sesh does, block WHY that it cannot continue, and block --clear that it
/// can. take ID continues a claim whose holder is gone. drop [ID] gives an item back. show ID prints an item, and import
/// FILE adds items to .sesh/work.json (- reads stdin). Exit 3: no such item, or nothing is ready. Exit 4: held, a
/// dependency is open, the risk is high, or not in a git repository. Exit 5: no longer yours.
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// What to do [default: print the board]
    #[arg(value_enum)]
    verb: Option<WorkVerb>,

    /// The id of the item, the text of the step, the reason, or the file
    #[arg(value_name = "WORD")]
    word: Option<String>,

    /// claim: make a worktree on a branch of its own, in this folder [default: below @sesh-worktrees]
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = "")]
    worktree: Option<OsString>,

    /// claim: work on this branch [default: the registry's, else feature/ID]
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,

    /// claim: the work changes these paths, a glob; may be repeated
    #[arg(long, value_name = "GLOB")]
    path: Vec<String>,

    /// claim: what the sesh does first
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    step: Option<String>,

    /// claim: wait until the item is free, or until one is ready. Give up after DURATION
    #[arg(long, value_name = "DURATION", value_parser = clock::duration)]
    wait: Option<Duration>,

    /// claim: claim it in spite of a high risk of a conflict; the reason is recorded
    #[arg(long = "override", value_name = "WHY", allow_hyphen_values = true)]
    over: Option<String>,

    /// step: how many steps are done
    #[arg(long, value_name = "N")]
    done: Option<u32>,

    /// step: how many steps there are
    #[arg(long, value_name = "N")]
    total: Option<u32>,

    /// block: the work can continue
    #[arg(long)]
    clear: bool,

    /// take: take it although the holder may be alive; the reason is recorded, and the holder is told
    #[arg(long, value_name = "WHY", allow_hyphen_values = true)]
    force: Option<String>,

    /// drop: the item is not worked any more; its work is saved in refs/sesh/rescue/ID
    #[arg(long, value_name = "WHY", allow_hyphen_values = true)]
    abandon: Option<String>,

    /// step, block: the item, for a sesh with several claims
    #[arg(long, value_name = "ID")]
    id: Option<ItemId>,

    /// The board: print it again when it changes, until it is interrupted
    #[arg(long)]
    watch: bool,

    /// The board: show these groups alone; may be repeated
    #[arg(long, value_name = "GROUP", value_parser = PossibleValuesParser::new(board_text::GROUPS))]
    group: Vec<String>,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: ServerArgs,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum WorkVerb {
    Claim,
    Step,
    Block,
    Take,
    Drop,
    Show,
    Import,
}

impl WorkVerb {
    /// Returns the name that a person types.
    fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_string())
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    args.check()?;
    let place = Workplace::find(&folder(None)?)?;
    let server = args.on.server()?;
    match args.verb {
        None => board(&server, &place, &args),
        Some(WorkVerb::Claim) => claim_item(&server, &place, &args),
        Some(WorkVerb::Step | WorkVerb::Block) => change(&server, &place, &args),
        Some(WorkVerb::Take) => take_item(&server, &place, &args),
        Some(WorkVerb::Drop) => drop_item(&server, &place, &args),
        Some(WorkVerb::Show) => show(&server, &place, &args),
        Some(WorkVerb::Import) => import_items(&place, &args),
    }
}

impl Args {
    /// Refuses options that do not belong to the verb, and words that are missing.
    fn check(&self) -> Result<()> {
        use WorkVerb::{Block, Claim, Drop, Import, Show, Step, Take};
        let given: [(&str, bool, &[WorkVerb]); 12] = [
            ("--worktree", self.worktree.is_some(), &[Claim]),
            ("--branch", self.branch.is_some(), &[Claim]),
            ("--path", !self.path.is_empty(), &[Claim]),
            ("--step", self.step.is_some(), &[Claim]),
            ("--wait", self.wait.is_some(), &[Claim]),
            ("--override", self.over.is_some(), &[Claim]),
            ("--done", self.done.is_some(), &[Step]),
            ("--total", self.total.is_some(), &[Step]),
            ("--clear", self.clear, &[Block]),
            ("--force", self.force.is_some(), &[Take]),
            ("--abandon", self.abandon.is_some(), &[Drop]),
            ("--id", self.id.is_some(), &[Step, Block]),
        ];
        for (flag, is_given, verbs) in given {
            if is_given && !self.verb.is_some_and(|verb| verbs.contains(&verb)) {
                let verbs: Vec<String> = verbs.iter().map(|verb| verb.name()).collect();
                return Err(Error::usage(format!(
                    "{flag} is for sesh-work {}",
                    verbs.join(" and ")
                )));
            }
        }
        let board = [("--watch", self.watch), ("--group", !self.group.is_empty())];
        for (flag, is_given) in board {
            if is_given && self.verb.is_some() {
                return Err(Error::usage(format!(
                    "{flag} is for the board, without a verb"
                )));
            }
        }
        let needs = match self.verb {
            Some(Step) => "a text: sesh-work step 'writing tests'",
            Some(Block) if !self.clear => "a reason: sesh-work block WHY, or --clear",
            Some(Take) => "an item: sesh-work take ID",
            Some(Show) => "an item: sesh-work show ID",
            Some(Import) => "a file: sesh-work import FILE, or - for stdin",
            None | Some(Claim | Drop | Block) => "",
        };
        if self.clear && self.word.is_some() {
            return Err(Error::usage("--clear takes no reason"));
        }
        let is_empty = self
            .word
            .as_deref()
            .is_none_or(|word| word.trim().is_empty());
        if !needs.is_empty() && is_empty {
            return Err(Error::usage(format!("it needs {needs}")));
        }
        Ok(())
    }

    /// Returns the item that was named.
    fn item(&self) -> Result<Option<ItemId>> {
        self.word.as_deref().map(str::parse).transpose()
    }
}

/// Tells the caller what it has to know, and has tmux show the ledger.
fn finish(
    server: &Server,
    place: &Workplace,
    caller: &Caller,
    state: &LedgerState,
) -> Result<LedgerState> {
    let state = own::tell(place, &caller.holder, state)?;
    mirror::show(server, place, caller, &state);
    Ok(state)
}

fn claim_item(server: &Server, place: &Workplace, args: &Args) -> anyhow::Result<Exit> {
    let request = ClaimRequest {
        id: args.item()?,
        branch: args.branch.clone(),
        paths: args.path.clone(),
        step: args.step.clone(),
        over: args.over.clone(),
    };
    let wish = match &args.worktree {
        None => WorktreeWish::None,
        Some(folder) if folder.is_empty() => WorktreeWish::Usual,
        Some(folder) => WorktreeWish::At(absolute(Path::new(folder))?),
    };
    let caller = match Caller::known(server, &place.short_hash)? {
        Some(caller) => caller,
        None => {
            // A pane whose claim is refused does not become a sesh.
            if args.wait.is_none() {
                claim::check(server, place, &request)?;
            }
            Caller::registered(server, &place.short_hash)?
        }
    };
    let made = claimed::make(server, place, &caller.holder, &request, args.wait, &wish)?;
    let MadeClaim {
        claim,
        state,
        setup,
    } = made;
    let state = finish(server, place, &caller, &state)?;
    let claim = state.claim(&claim.id).cloned().unwrap_or(claim);
    print_claim(server, &claim, args.json)?;
    setup?;
    Ok(Exit::Done)
}

fn print_claim(
    server: &Server,
    claim: &crate::work::ledger_state::Claim,
    json: bool,
) -> anyhow::Result<()> {
    out::unless_hung_up(if json {
        let sighting = HolderView::new(Some(server)).look(&claim.holder);
        out::json(&ClaimJson::of(claim, &sighting, clock::seconds()))
    } else {
        out::text(&board_text::claim(claim))
    })
}

fn caller(server: &Server, place: &Workplace) -> Result<Caller> {
    Caller::known(server, &place.short_hash)?.ok_or_else(|| {
        Error::nothing("this pane is no sesh, so it has claimed nothing")
            .with_way_out("sesh-work claim takes the next item")
    })
}

/// Runs a change of a claim of the caller. If it is refused, the caller gets its pending warnings all the same.
fn by_holder<T>(
    server: &Server,
    place: &Workplace,
    act: impl FnOnce(&Caller) -> Result<(T, LedgerState)>,
) -> Result<(T, LedgerState)> {
    let caller = caller(server, place)?;
    let (done, state) = act(&caller)?;
    let state = finish(server, place, &caller, &state)?;
    Ok((done, state))
}

fn change(server: &Server, place: &Workplace, args: &Args) -> anyhow::Result<Exit> {
    let word = args.word.clone();
    let change = match args.verb {
        Some(WorkVerb::Step) => OwnChange::Step {
            step: word.unwrap_or_default(),
            done: args.done,
            total: args.total,
        },
        _ => OwnChange::Block(word),
    };
    let (claim, _) = by_holder(server, place, |caller| {
        own::change(place, caller.holder.sesh, args.id.as_ref(), &change)
    })?;
    if args.json {
        print_claim(server, &claim, true)?;
    }
    Ok(Exit::Done)
}

fn take_item(server: &Server, place: &Workplace, args: &Args) -> anyhow::Result<Exit> {
    let id = args
        .item()?
        .ok_or_else(|| Error::usage("it needs an item"))?;
    let before = place.ledger.read()?;
    let former = before.claim(&id).ok_or_else(|| {
        Error::nothing(format!("{id} is not claimed")).with_way_out(format!("sesh-work claim {id}"))
    })?;
    let caller = Caller::registered(server, &place.short_hash)?;
    let taken = take::take(server, place, &caller.holder, &id, args.force.as_deref())?;
    if taken.from.is_some() {
        remote_claim::replace(place, former, &taken.claim)?;
    }
    finish(server, place, &caller, &taken.state)?;
    print_claim(server, &taken.claim, args.json)?;
    Ok(Exit::Done)
}

fn drop_item(server: &Server, place: &Workplace, args: &Args) -> anyhow::Result<Exit> {
    let id = args.item()?;
    let abandon = args.abandon.as_deref();
    let (dropped, _) = by_holder(server, place, |caller| {
        let dropped = drop_claim(place, caller.holder.sesh, id.as_ref(), abandon)?;
        let state = dropped.state.clone();
        Ok((dropped, state))
    })?;
    remote_claim::withdraw(place, &dropped.claim)?;
    if args.json {
        print_claim(server, &dropped.claim, true)?;
    } else {
        out::unless_hung_up(out::text(&dropped_text(&dropped)))?;
    }
    Ok(Exit::Done)
}

fn dropped_text(dropped: &DroppedClaim) -> String {
    let id = &dropped.claim.id;
    let mut text = match &dropped.rescued {
        Some(oid) => format!(
            "{id} is abandoned; its work is {} in refs/sesh/rescue/{}",
            oid.short(),
            id.plain()
        ),
        None => format!("{id} is given back"),
    };
    match &dropped.worktree {
        WorktreeEnd::None => {}
        WorktreeEnd::Removed => text += "; its worktree is removed",
        WorktreeEnd::Kept(files) => {
            let place = &dropped.claim.worktree;
            text += &format!(
                "; its worktree {place} stays, with uncommitted {}",
                files.join(", ")
            );
        }
    }
    text
}

fn show(server: &Server, place: &Workplace, args: &Args) -> anyhow::Result<Exit> {
    let id = args
        .item()?
        .ok_or_else(|| Error::usage("it needs an item"))?;
    let shown = ShownItem::read(Some(server), place, &id)?;
    out::unless_hung_up(if args.json {
        out::json(&shown)
    } else {
        out::text(&shown.text())
    })?;
    Ok(Exit::Done)
}

fn import_items(place: &Workplace, args: &Args) -> anyhow::Result<Exit> {
    let word = args.word.as_deref().unwrap_or_default();
    let failed = |error: std::io::Error| Error::failed(format!("cannot read {word}: {error}"));
    let text = if word == "-" {
        let mut text = Vec::new();
        std::io::stdin()
            .lock()
            .read_to_end(&mut text)
            .map_err(failed)?;
        text
    } else {
        std::fs::read(Path::new(word)).map_err(failed)?
    };
    let top = place.repository.top.as_deref().ok_or_else(|| {
        Error::unusable("a bare repository has no files").with_way_out("run it in a checkout")
    })?;
    let added = import::import(top, &text, word)?;
    out::unless_hung_up(if args.json {
        out::json(&serde_json::json!({ "added": added }))
    } else {
        out::line(&format!("{added} new items in .sesh/work.json"))
    })?;
    Ok(Exit::Done)
}

fn board(server: &Server, place: &Workplace, args: &Args) -> anyhow::Result<Exit> {
    // A second is soon enough for a person.
    const PAUSE: Duration = Duration::from_secs(1);
    // The first board of a watch is there before git has compared the branches.
    let mut diffs = !args.watch;
    let mut before: Option<String> = None;
    loop {
        let board = Board::read(Some(server), place, diffs)?;
        repair(server, place, &board);
        let text = if args.json {
            out::json_text(&board)?
        } else {
            board_text::board(&board, &args.group, out::width())
        };
        if !args.watch {
            out::unless_hung_up(out::text(&text))?;
            return Ok(Exit::Done);
        }
        if before.as_ref() != Some(&text) {
            out::redraw(&text, before.is_none() || args.json)?;
            before = Some(text);
        }
        if diffs {
            std::thread::sleep(PAUSE); // why: the ledger, the branches and the holders have no event in common.
        }
        diffs = true;
    }
}

/// Has tmux show what the board has found, if this process runs in a pane. The board itself needs no server.
fn repair(server: &Server, place: &Workplace, board: &Board) {
    if !place.ledger.exists() {
        return;
    }
    let repaired = Caller::known(server, &place.short_hash).and_then(|caller| match caller {
        Some(caller) => {
            let own = &caller.holder.server;
            mirror::write(server, place, own, &caller.mirror, &board.state, board.lost)
        }
        None => Ok(()),
    });
    if let Err(error) = repaired
        && error.kind != ErrorKind::NoAnswer
        && !error.server_is_gone()
    {
        error::warn(error.to_string());
    }
}
