//! The tables in `docs/custody-transitions.md`, made by asking the code.

use std::fmt::Write as _;

use spean_eventsourcing::{Aggregate, Refusal};
use spean_vocabulary::{DeclineReason, OfferKind, WithdrawReason};

use super::examples::{Story, at, case, kandal, ministry, offer, poipet, receive, takeo, terms};
use super::{CaseCustody, Command, Event, Message, ServiceOutcome};
use crate::Party;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/custody-transitions.md");

const HEAD: &str = "# What happens to an offer

These tables are made by asking the code: each row is a state, each column an input, each cell what is recorded. `-` means
that nothing follows, because it was already done or came too late to matter; capitals are the reason of a refusal.
`SPEAN_BLESS=1 cargo test -p spean-custody` writes this page anew; the same test fails when the page and the code differ.
";

struct Table {
    title: &'static str,
    me: Party,
    states: Vec<(&'static str, Vec<Event>)>,
    inputs: Vec<(&'static str, Command)>,
}

fn before_the_answer(log: Vec<Event>) -> Vec<Event> {
    log.into_iter()
        .take_while(|event| !matches!(event, Event::TransferReceived { .. } | Event::AgreementReceived { .. }))
        .collect()
}

fn states(me: &Party, kind: OfferKind) -> Vec<(&'static str, Vec<Event>)> {
    let log = |story: Story| story.log(me);
    let mut states = vec![("offered", log(Story::offered(kind)))];
    if *me == kandal() {
        states.insert(0, ("never heard of", vec![]));
        states.push(("bound", before_the_answer(log(Story::accepted(kind)))));
    } else {
        states.insert(0, ("held, not offered", log(Story::begun())));
    }
    let moved = if kind == OfferKind::Transfer { "transferred" } else { "agreed" };
    states.push((moved, log(Story::accepted(kind))));
    if kind == OfferKind::Service {
        states.push(("concluded", log(Story::concluded())));
    }
    states.push(("declined", log(declined(kind))));
    states.push(("withdrawn", log(Story::withdrawn(kind))));
    states.push(("void", log(Story::offered(kind).overridden())));
    states
}

fn declined(kind: OfferKind) -> Story {
    let reason = DeclineReason::NoCapacity;
    Story::offered(kind).then(&kandal(), Command::Decline { offer: offer(1), reason })
}

fn tables(kind: OfferKind, titles: [&'static str; 2]) -> [Table; 2] {
    let (case, offer, outcome) = (case(), offer(1), ServiceOutcome::Completed);
    let from_kandal = |message| receive(&kandal(), message);
    let from_poipet = |message| receive(&poipet(), message);
    let withdraw = WithdrawReason::Escalated;
    let decline = DeclineReason::NoCapacity;
    let accepted = Story::accepted(kind);
    let overridden = Story::begun().overridden();
    let over = overridden.said(&ministry(), &takeo()).pop().expect("the override");
    let holder = vec![
        ("offer", Command::Offer { offer, to: kandal(), terms: terms(kind) }),
        ("withdraw", Command::Withdraw { offer, reason: withdraw }),
        ("remind", Command::Remind { offer, number: 1 }),
        ("renew after restore", Command::ReOffer { offer, afresh: super::examples::offer(2) }),
        ("*Accept*", from_kandal(Message::Accept { case, offer, term: 0 })),
        ("*Decline*", from_kandal(Message::Decline { case, offer, reason: decline, successor: None })),
        ("*Conclusion*", from_kandal(Message::Conclusion { case, offer, outcome })),
        ("*Override*", receive(&ministry(), over.clone())),
    ];
    let asked = accepted.said(&poipet(), &kandal());
    let mut addressee = vec![
        ("accept", Command::Accept { offer }),
        ("decline", Command::Decline { offer, reason: decline }),
        ("redirect", Command::Redirect { offer, successor: takeo().office }),
        ("conclude", Command::Conclude { offer, outcome }),
        ("*Offer*", from_poipet(asked[0].clone())),
        ("*Withdraw*", from_poipet(Message::Withdraw { case, offer, reason: withdraw })),
        ("*Reminder*", from_poipet(Message::Reminder { case, offer, number: 1 })),
    ];
    let answer = if kind == OfferKind::Transfer { "*Transfer*" } else { "*Agreed*" };
    addressee.push((answer, from_poipet(asked[1].clone())));
    addressee.push(("*Override*", receive(&ministry(), over)));
    [
        Table { title: titles[0], me: poipet(), states: states(&poipet(), kind), inputs: holder },
        Table { title: titles[1], me: kandal(), states: states(&kandal(), kind), inputs: addressee },
    ]
}

fn cell(log: &[Event], command: Command, me: &Party) -> String {
    match CaseCustody::fold(log).decide(command, &at(me)) {
        Err(error) => error.reason().to_owned(),
        Ok(events) if events.is_empty() => "-".to_owned(),
        Ok(events) => {
            let names: Vec<&'static str> = events.iter().map(Into::into).collect();
            names.join(", ").replace('_', " ")
        }
    }
}

fn page() -> String {
    let transfer = ["A transfer, at its holder", "A transfer, at its addressee"];
    let service = ["A service, at its holder", "A service, at its addressee"];
    let mut page = HEAD.to_owned();
    for table in tables(OfferKind::Transfer, transfer).into_iter().chain(tables(OfferKind::Service, service)) {
        let Table { title, me, states, inputs } = table;
        let names: Vec<_> = inputs.iter().map(|(name, _)| *name).collect();
        write!(page, "\n## {title}\n\nWords in italics arrive by letter, the others come from staff and timers.\n\n")
            .unwrap();
        writeln!(page, "| | {} |\n|{}", names.join(" | "), "---|".repeat(names.len() + 1)).unwrap();
        for (state, log) in states {
            let cells: Vec<_> = inputs.iter().map(|(_, command)| cell(&log, command.clone(), &me)).collect();
            writeln!(page, "| **{state}** | {} |", cells.join(" | ")).unwrap();
        }
    }
    page
}

#[test]
fn the_page_of_transitions_says_what_the_code_does() {
    let page = page();
    if std::env::var_os("SPEAN_BLESS").is_some() {
        std::fs::write(FILE, &page).unwrap();
    }
    let written = std::fs::read_to_string(FILE).unwrap();
    assert_eq!(page, written, "run again with SPEAN_BLESS=1 and look at the difference");
}
