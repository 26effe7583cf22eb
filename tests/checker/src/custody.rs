//! C3 and C6: what the events of custody say, folded by rules written down a second time.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use sqlx::{AnyConnection, Row as _};

use crate::certificate::{Certificates, Party, Place, Signed};
use crate::directory::Directory;
use crate::log::Stored;
use crate::report::{Check, Report};

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    Opened {
        certificate: Signed,
    },
    Offered {
        offer: String,
        to: Party,
        terms: Terms,
    },
    Withdrawn {
        offer: String,
        reason: String,
    },
    OfferDeclined {
        offer: String,
        reason: String,
    },
    Transferred {
        offer: String,
        chain: Vec<Signed>,
    },
    ServiceAgreed {
        offer: String,
    },
    ServiceConcluded {
        offer: String,
        outcome: String,
    },
    OfferReceived {
        offer: String,
        from: Party,
        terms: Terms,
    },
    Accepted {
        offer: String,
        to: Party,
    },
    Declined {
        offer: String,
        to: Party,
        reason: String,
    },
    WithdrawalReceived {
        offer: String,
        from: Party,
        reason: String,
    },
    TransferReceived {
        offer: String,
        chain: Vec<Signed>,
    },
    AgreementReceived {
        offer: String,
    },
    Concluded {
        offer: String,
        to: Party,
        outcome: String,
    },
    OfferVoided {
        offer: String,
    },
    CertificatesLearned {
        chain: Vec<Signed>,
    },
    OverrideIssued {
        chain: Vec<Signed>,
    },
    OverrideProposed {
        chain: Vec<Signed>,
    },
    OverrideProposalReceived {
        chain: Vec<Signed>,
    },
    OverrideForwarded {
        chain: Vec<Signed>,
    },
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Terms {
    kind: String,
    #[serde(default)]
    dossier_digest: Option<String>,
}

/// How an offer stands on one of its sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    #[default]
    Open,
    Bound,
    Declined(String),
    Withdrawn(String),
    Transferred,
    Agreed,
    Concluded(String),
    Voided,
}

/// One side of an offer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Side {
    pub(crate) office: String,
    pub(crate) case: String,
    pub(crate) other: Party,
    pub(crate) state: State,
    pub(crate) dossier: Option<String>,
    is_transfer: bool,
    /// How often it was made, or came in.
    pub(crate) begun: usize,
    pub(crate) accepted: usize,
    pub(crate) declined: usize,
    /// Withdrawals for a reason that only people give, and all of them.
    pub(crate) withdrawn_by_people: usize,
    pub(crate) withdrawn: usize,
    /// How often it ended at its maker, whatever the end.
    ended: usize,
    /// Whether its maker gave the case away by it after it was void.
    moved_when_void: bool,
}

/// Custody as all logs together tell it.
#[derive(Debug, Default)]
pub(crate) struct Custody {
    pub(crate) certificates: Certificates,
    /// The highest certificate that an office knows of a case: its place, and the holder by it.
    newest: BTreeMap<(String, String), (Place, String)>,
    /// The same, as the table of the worklist shows it: what only a proposal brought along is not in it.
    shown: BTreeMap<(String, String), (Place, String)>,
    /// Offices, and offers of theirs that a certificate came of.
    moved: BTreeSet<(String, String)>,
    /// By offer, the office that knows that it holds the case by the certificate that came of it.
    came_by_certificate: BTreeMap<String, String>,
    /// Openings of a case, by office.
    pub(crate) opened: BTreeMap<String, Vec<String>>,
    /// At the office that made it.
    pub(crate) made: BTreeMap<String, Side>,
    /// At the office that it was made to.
    pub(crate) got: BTreeMap<String, Side>,
    /// Offers of two makers or addressees, which no rule allows.
    shared: BTreeSet<String>,
    unreadable: Vec<String>,
}

impl Custody {
    /// Takes the next event of a log.
    pub(crate) fn take(&mut self, stored: &Stored) {
        if stored.category != "custody" {
            return;
        }
        let Some((office, case)) = stored.id.split_once('/') else {
            self.unreadable.push(format!("event {} belongs to {}", stored.position, stored.id));
            return;
        };
        match serde_json::from_str(&stored.payload) {
            Ok(event) => self.fold(office, case, event),
            Err(error) => self.unreadable.push(format!("event {} of {}: {error}", stored.position, stored.id)),
        }
    }

    fn fold(&mut self, office: &str, case: &str, event: Event) {
        match event {
            Event::Opened { certificate } => {
                self.opened.entry(case.to_owned()).or_default().push(office.to_owned());
                self.show(office, case, std::slice::from_ref(&certificate));
                self.learn(office, case, &[certificate]);
            }
            Event::Offered { offer, to, terms } => {
                // Only after a restore: the certificate is recalled before the offer that it came of.
                let already = self.moved.contains(&(office.to_owned(), offer.clone()));
                self.made(&offer, office, case, |side| {
                    side.begun += 1;
                    if side.begun == 1 {
                        (side.other, side.dossier) = (to, terms.dossier_digest);
                        side.is_transfer = terms.kind == "transfer";
                        if already {
                            side.state = State::Transferred;
                        }
                    }
                });
            }
            Event::Withdrawn { offer, reason } => self.made(&offer, office, case, |side| {
                side.withdrawn += 1;
                let by_people = ["another_way_found", "consent_withdrawn", "sent_by_mistake"].contains(&&*reason);
                side.withdrawn_by_people += usize::from(by_people);
                side.end(State::Withdrawn(reason));
            }),
            Event::OfferDeclined { offer, reason } => {
                self.made(&offer, office, case, |side| side.end(State::Declined(reason)));
            }
            Event::Transferred { offer, chain } => {
                self.made(&offer, office, case, |side| {
                    side.moved_when_void |= side.state == State::Voided;
                    side.end(State::Transferred);
                });
                self.show(office, case, &chain);
                self.learn(office, case, &chain);
            }
            Event::ServiceAgreed { offer } => self.made(&offer, office, case, |side| side.end(State::Agreed)),
            Event::ServiceConcluded { offer, outcome } => {
                self.made(&offer, office, case, |side| side.state = State::Concluded(outcome));
            }
            Event::OfferReceived { offer, from, terms } => self.got(&offer, office, case, |side| {
                side.begun += 1;
                (side.other, side.dossier) = (from, terms.dossier_digest);
                side.is_transfer = terms.kind == "transfer";
            }),
            Event::Accepted { offer, to } => self.got(&offer, office, case, |side| {
                side.accepted += 1;
                side.other = to;
                // Whoever says yes to what was taken back is bound for ever, unless it is taken back again.
                if matches!(side.state, State::Open | State::Withdrawn(_)) {
                    side.state = State::Bound;
                }
            }),
            Event::Declined { offer, to, reason } => self.got(&offer, office, case, |side| {
                side.declined += 1;
                side.other = to;
                if matches!(side.state, State::Open | State::Voided) {
                    side.state = State::Declined(reason);
                }
            }),
            Event::WithdrawalReceived { offer, from, reason } => self.got(&offer, office, case, |side| {
                side.other = from;
                side.state = State::Withdrawn(reason);
            }),
            Event::TransferReceived { offer, chain } => {
                self.got(&offer, office, case, |side| {
                    if matches!(side.state, State::Open | State::Bound | State::Declined(_)) {
                        side.state = State::Transferred;
                    }
                });
                self.show(office, case, &chain);
                self.learn(office, case, &chain);
            }
            Event::AgreementReceived { offer } => self.got(&offer, office, case, |side| {
                if matches!(side.state, State::Bound | State::Voided) {
                    side.state = State::Agreed;
                }
            }),
            Event::Concluded { offer, to, outcome } => self.got(&offer, office, case, |side| {
                side.other = to;
                side.state = State::Concluded(outcome);
            }),
            Event::OfferVoided { offer } => {
                for side in [self.made.get_mut(&offer), self.got.get_mut(&offer)].into_iter().flatten() {
                    if side.office == office {
                        side.state = State::Voided;
                    }
                }
            }
            Event::CertificatesLearned { chain } | Event::OverrideIssued { chain } => {
                self.show(office, case, &chain);
                self.learn(office, case, &chain);
            }
            Event::OverrideProposed { chain } | Event::OverrideProposalReceived { chain } => {
                self.learn(office, case, &chain);
            }
            Event::OverrideForwarded { chain } => self.certificates.add_all(&chain),
            Event::Other => {}
        }
    }

    fn made(&mut self, offer: &str, office: &str, case: &str, change: impl FnOnce(&mut Side)) {
        change(side(&mut self.made, &mut self.shared, offer, office, case));
    }

    fn got(&mut self, offer: &str, office: &str, case: &str, change: impl FnOnce(&mut Side)) {
        change(side(&mut self.got, &mut self.shared, offer, office, case));
    }

    fn learn(&mut self, office: &str, case: &str, chain: &[Signed]) {
        for signed in chain {
            self.certificates.add(signed);
            let certificate = &signed.certificate;
            let newest = (certificate.place(), certificate.holder.office.clone());
            raise(&mut self.newest, (office, case), newest);
            let Some(offer) = &certificate.offer else { continue };
            self.moved.insert((office.to_owned(), offer.clone()));
            if certificate.holder.office == office {
                self.came_by_certificate.insert(offer.clone(), office.to_owned());
            }
            if let Some(side) = self.made.get_mut(offer).filter(|side| side.office == office) {
                side.state = State::Transferred;
            }
        }
    }

    fn show(&mut self, office: &str, case: &str, chain: &[Signed]) {
        if let Some(newest) = chain.last().map(|signed| &signed.certificate) {
            raise(&mut self.shown, (office, case), (newest.place(), newest.holder.office.clone()));
        }
    }

    /// The offices that say that they hold a case, by case.
    pub(crate) fn mine(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut mine: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for ((office, case), (_, holder)) in &self.newest {
            if office == holder {
                mine.entry(case.clone()).or_default().insert(office.clone());
            }
        }
        mine
    }

    /// C3, C6 as far as events alone tell, and C4 as far as they promise. `put_back` says whether the node of an office
    /// was put back to an older state.
    pub(crate) fn check(&self, put_back: &impl Fn(&str) -> bool, report: &mut Report) {
        report.count("offers", self.made.len());
        for words in &self.unreadable {
            report.find(Check::C6, words.clone());
        }
        for offer in &self.shared {
            report.find(Check::C3, format!("offer {offer} has more than one maker, addressee or case"));
        }
        for (offer, made) in &self.made {
            self.check_offer(offer, made, put_back, report);
        }
        for (offer, got) in &self.got {
            if got.begun > 1 || got.accepted > 1 || got.declined > 1 {
                let words = format!("offer {offer} was taken in {} times at {}", got.begun, got.office);
                let answered = format!("accepted {} times, declined {} times", got.accepted, got.declined);
                report.find(Check::C3, format!("{words}, {answered}"));
            }
            if !self.made.contains_key(offer) {
                report.find(Check::C3, format!("offer {offer} at {} was made by nobody", got.office));
            }
        }
        let mut open: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for made in self.made.values().filter(|made| made.is_transfer && made.state == State::Open) {
            *open.entry((&made.office, &made.case)).or_default() += 1;
        }
        for ((office, case), count) in open.into_iter().filter(|(_, count)| *count > 1) {
            report.find(Check::C3, format!("case {case}: {office} has {count} transfers open at once"));
        }
    }

    fn check_offer(&self, offer: &str, made: &Side, put_back: &impl Fn(&str) -> bool, report: &mut Report) {
        let (office, case) = (&made.office, &made.case);
        // Who was put back is told later what it had done before it was void.
        if made.moved_when_void && !put_back(office) {
            report
                .find(Check::C3, format!("case {case}, offer {offer}: void at {office}, and transferred all the same"));
        }
        // Both were put back, as two offices of one node are, and forgot the offer; a third returned what came of it. The
        // addressee knows it from the maker, or only as the neighbour whose certificate it is.
        let forgot = |side: &Side| side.begun == 0 && side.state == State::Transferred && put_back(&side.office);
        let forgotten_there = match self.got.get(offer) {
            Some(got) => forgot(got),
            None => self.came_by_certificate.get(offer).is_some_and(|addressee| put_back(addressee)),
        };
        if made.ended == 1 && forgot(made) && forgotten_there {
            return;
        }
        if made.begun != 1 {
            report.find(Check::C3, format!("case {case}, offer {offer}: made {} times at {office}", made.begun));
        }
        if made.ended > 1 {
            report.find(Check::C3, format!("case {case}, offer {offer}: ended {} times at {office}", made.ended));
        }
        let Some(got) = self.got.get(offer) else {
            let words =
                format!("case {case}, offer {offer}: {} never got it, and it is {:?}", made.other.office, made.state);
            report.find(Check::C3, words);
            return;
        };
        if (&got.office, &got.case, &got.other.office) != (&made.other.office, case, office) {
            report.find(Check::C3, format!("offer {offer}: the two sides name different offices or cases"));
        }
        if !agree(&made.state, &got.state) {
            let words = format!(
                "case {case}, offer {offer}: {:?} at {office} and {:?} at {}",
                made.state, got.state, got.office
            );
            report.find(Check::C3, words);
        }
        if got.begun > 0 && made.dossier != got.dossier {
            report.find(Check::C4, format!("case {case}, offer {offer}: another dossier was promised than arrived"));
        }
    }

    /// C6: the tables of a node's worklist against what its events say.
    pub(crate) async fn compare(
        &self,
        node: &str,
        directory: &Directory,
        connection: &mut AnyConnection,
        report: &mut Report,
    ) -> Result<(), sqlx::Error> {
        let mut shown = BTreeMap::new();
        let rows = sqlx::query("select office, case_id, holder_office, term, epoch from custody_view");
        for row in rows.fetch_all(&mut *connection).await? {
            let place = (number(row.try_get(3)?), number(row.try_get(4)?));
            shown.insert((row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?), (place, row.try_get(2)?));
        }
        let told: BTreeMap<_, _> =
            self.shown.iter().filter(|((office, _), _)| directory.node_of(office) == node).collect();
        for (key @ (office, case), newest) in &told {
            if shown.get(key) != Some(newest) {
                let words = format!("the log of {office} says {newest:?}, its table {:?}", shown.get(key));
                report.find(Check::C6, format!("case {case}: {words}"));
            }
        }
        for (office, case) in shown.keys().filter(|key| !told.contains_key(key)) {
            report.find(Check::C6, format!("case {case}: the table of {office} knows it, its log does not"));
        }
        let rows = sqlx::query("select office, offer_id, direction, state from offer");
        for row in rows.fetch_all(connection).await? {
            let (office, offer): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let (direction, state): (String, String) = (row.try_get(2)?, row.try_get(3)?);
            let side = if direction == "out" { self.made.get(&offer) } else { self.got.get(&offer) };
            let Some(side) = side.filter(|side| side.office == office) else {
                report.find(Check::C6, format!("offer {offer}: the table of {office} knows it, its log does not"));
                continue;
            };
            if side.shown() != state && side.state != State::Voided {
                let words = format!("offer {offer}: {:?} by the log of {office}, {state} by its table", side.state);
                report.find(Check::C6, words);
            }
        }
        Ok(())
    }
}

impl Side {
    fn end(&mut self, state: State) {
        // A service that was agreed may still be ended; everything else is an end.
        if !(self.state == State::Agreed && matches!(state, State::Withdrawn(_))) {
            self.ended += 1;
        }
        self.state = state;
    }

    /// What the table of offers calls it.
    fn shown(&self) -> &'static str {
        match &self.state {
            State::Open => "OFFERED",
            State::Bound => "BOUND",
            State::Declined(_) => "DECLINED",
            State::Withdrawn(reason) if reason == "escalated" => "ESCALATED",
            State::Withdrawn(_) => "WITHDRAWN",
            State::Transferred | State::Agreed => "ACCEPTED",
            State::Concluded(_) => "CONCLUDED",
            State::Voided => "VOIDED",
        }
    }
}

fn side<'s>(
    sides: &'s mut BTreeMap<String, Side>,
    shared: &mut BTreeSet<String>,
    offer: &str,
    office: &str,
    case: &str,
) -> &'s mut Side {
    let side = sides.entry(offer.to_owned()).or_default();
    if side.office.is_empty() {
        (side.office, side.case) = (office.to_owned(), case.to_owned());
    } else if (side.office.as_str(), side.case.as_str()) != (office, case) {
        shared.insert(offer.to_owned());
    }
    side
}

/// The higher place stays.
fn raise(
    places: &mut BTreeMap<(String, String), (Place, String)>,
    (office, case): (&str, &str),
    newest: (Place, String),
) {
    let known = places.entry((office.to_owned(), case.to_owned())).or_insert_with(|| newest.clone());
    if newest.0 > known.0 {
        *known = newest;
    }
}

/// Whether the maker's side and the addressee's tell the same, when all letters have arrived.
fn agree(made: &State, got: &State) -> bool {
    match (made, got) {
        // An override ends offers at each side when it gets there; what was said before may stand at the other.
        (State::Voided, got) => !matches!(got, State::Transferred | State::Open | State::Bound),
        // A withdrawal and a refusal may cross on the way: each is true of who said it, and the case is where it was.
        (State::Withdrawn(_), State::Declined(_))
        | (State::Withdrawn(_) | State::Transferred | State::Declined(_), State::Voided) => true,
        (made, got) => made == got,
    }
}

fn number(stored: i64) -> u32 {
    u32::try_from(stored).unwrap_or(u32::MAX)
}
