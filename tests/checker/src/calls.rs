//! C1 and C8: what people were told, against what is there.

use std::collections::BTreeMap;

use crate::certificate::Place;
use crate::custody::Custody;
use crate::directory::Directory;
use crate::journal::{Asked, Intent, Line, Outcome};
use crate::report::{Check, Report};

/// What is known of one intent from all calls that had it.
#[derive(Debug)]
struct Wanted {
    outcome: Outcome,
    office: String,
    /// Whether all that was done, or may have been, was done in a time that a restore has wiped out.
    may_be_lost: bool,
    calls: Vec<u64>,
}

/// C1. `registered` says how often a case stands in a register.
pub(crate) fn check_effects(
    lines: &[Line],
    custody: &Custody,
    registered: &BTreeMap<String, usize>,
    directory: &Directory,
    report: &mut Report,
) {
    let answers: BTreeMap<u64, _> = lines
        .iter()
        .filter_map(|line| if let Line::Answered(answered) = line { Some((answered.n, answered)) } else { None })
        .collect();
    let mut wanted: BTreeMap<String, (Intent, Wanted)> = BTreeMap::new();
    for line in lines {
        let Line::Asked(asked) = line else { continue };
        let (outcome, at) =
            answers.get(&asked.n).map_or((Outcome::Unknown, asked.at), |answer| (answer.outcome, answer.at));
        let lost = is_wiped_out(lines, directory.node_of(&asked.office), at);
        for intent in flat(&asked.what) {
            note(&mut wanted, intent, asked, outcome, lost);
        }
    }
    report.count("intents", wanted.len());
    for (intent, wanted) in wanted.values() {
        check_effect(intent, wanted, custody, registered, report);
    }
}

fn note(wanted: &mut BTreeMap<String, (Intent, Wanted)>, intent: &Intent, asked: &Asked, outcome: Outcome, lost: bool) {
    let key = serde_json::to_string(intent).expect("an intent has text keys only");
    let (_, known) = wanted.entry(key).or_insert_with(|| {
        let office = asked.office.clone();
        (intent.clone(), Wanted { outcome: Outcome::Failed, office, may_be_lost: true, calls: vec![] })
    });
    known.calls.push(asked.n);
    if outcome != Outcome::Failed {
        known.may_be_lost &= lost;
    }
    // What a restore wiped out is asked for again, and need not have been done again: nobody was told so.
    let outcome = if lost && outcome == Outcome::Ok { Outcome::Unknown } else { outcome };
    known.outcome = match (known.outcome, outcome) {
        (Outcome::Ok, _) | (_, Outcome::Ok) => Outcome::Ok,
        (Outcome::Unknown, _) | (_, Outcome::Unknown) => Outcome::Unknown,
        (Outcome::Failed, Outcome::Failed) => Outcome::Failed,
    };
}

fn flat(intent: &Intent) -> Vec<&Intent> {
    match intent {
        Intent::None | Intent::ReadCustody { .. } => vec![],
        Intent::Many { intents } => intents.iter().flat_map(flat).collect(),
        one => vec![one],
    }
}

fn is_wiped_out(lines: &[Line], node: &str, when: i64) -> bool {
    lines.iter().any(|line| match line {
        Line::Restored { at, since, node: restored, may_lose } => {
            *may_lose && restored == node && (*since..=*at).contains(&when)
        }
        _ => false,
    })
}

fn check_effect(
    intent: &Intent,
    wanted: &Wanted,
    custody: &Custody,
    registered: &BTreeMap<String, usize>,
    report: &mut Report,
) {
    let office = &wanted.office;
    let made = |offer: &String| custody.made.get(offer);
    let got = |offer: &String| custody.got.get(offer);
    // How often it is there, whether an `ok` is borne out, and of which parts the whole consists.
    let (what, count, borne_out, whole) = match intent {
        Intent::Register { case } => {
            let opened = custody.opened.get(case).map_or(0, Vec::len);
            let registered = registered.get(case).copied().unwrap_or(0);
            let here = custody.opened.get(case).is_some_and(|offices| offices.contains(office));
            (format!("case {case}"), registered.max(opened), here, registered == opened)
        }
        Intent::Offer { case, offer, .. } => {
            let made = made(offer).filter(|made| made.begun > 0);
            let here = made.is_some_and(|made| made.office == *office && made.case == *case);
            (format!("case {case}: offer {offer}"), made.map_or(0, |made| made.begun), here, true)
        }
        Intent::Accept { offer } => {
            let count = got(offer).map_or(0, |got| got.accepted);
            // After a restore the certificate itself may be all that is known of the acceptance.
            let moved = got(offer).is_some_and(|got| got.state == crate::custody::State::Transferred);
            (format!("the acceptance of offer {offer}"), count, count == 1 || moved, true)
        }
        Intent::Decline { offer } => {
            let count = got(offer).map_or(0, |got| got.declined);
            (format!("the refusal of offer {offer}"), count, count == 1, true)
        }
        Intent::Withdraw { offer } => {
            let count = made(offer).map_or(0, |made| made.withdrawn_by_people);
            let gone = made(offer).is_some_and(|made| made.withdrawn > 0);
            (format!("the withdrawal of offer {offer}"), count, gone, true)
        }
        Intent::None | Intent::Many { .. } | Intent::ReadCustody { .. } => return,
    };
    let calls = &wanted.calls;
    let words = match wanted.outcome {
        _ if count > 1 => format!("is there {count} times"),
        Outcome::Ok if !borne_out => "was said to be done and is not there".to_owned(),
        Outcome::Failed if count > 0 => "was refused and is there".to_owned(),
        Outcome::Ok | Outcome::Unknown if !whole && !wanted.may_be_lost => "is there in parts".to_owned(),
        _ => return,
    };
    report.find(Check::C1, format!("{what}, asked for at {office} (calls {calls:?}), {words}"));
}

/// C8: no office ever says less of a case than it has said before the question.
pub(crate) fn check_reads(lines: &[Line], directory: &Directory, report: &mut Report) {
    let mut highest: BTreeMap<(String, String), Place> = BTreeMap::new();
    let mut asked: BTreeMap<u64, ((String, String), Option<Place>)> = BTreeMap::new();
    let mut reads = 0;
    for line in lines {
        match line {
            Line::Asked(Asked { n, office, what: Intent::ReadCustody { case }, .. }) => {
                let key = (office.clone(), case.clone());
                let floor = highest.get(&key).copied();
                asked.insert(*n, (key, floor));
            }
            Line::Asked(_) => {}
            Line::Answered(answered) => {
                let Some(custody) = &answered.custody else { continue };
                let Some((key, floor)) = asked.remove(&answered.n) else { continue };
                reads += 1;
                let place = (custody.term, custody.epoch);
                if let Some(floor) = floor.filter(|floor| place < *floor) {
                    let words = format!("{} said {place:?} of case {} after it had said {floor:?}", key.0, key.1);
                    report.find(Check::C8, format!("{words} (call {})", answered.n));
                }
                let known = highest.entry(key).or_insert(place);
                *known = place.max(*known);
            }
            Line::Restored { node, .. } => {
                highest.retain(|(office, _), _| directory.node_of(office) != node);
                for (_, (_, floor)) in
                    asked.iter_mut().filter(|(_, ((office, _), _))| directory.node_of(office) == node)
                {
                    *floor = None;
                }
            }
        }
    }
    report.count("readings of custody", reads);
}
