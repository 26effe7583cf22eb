//! Somebody at an office who asks through the public interface, writes down what was asked and answered, and connects
//! again whenever the node is back, wherever it is and whatever its clock says.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use spean::demonstration::staff::Staff;
use spean::demonstration::stories::reason;
use spean::staff::{Wanted, token};
use spean_chassis::Clock;
use spean_checker::journal::{CustodyRead, Intent, Journal, Outcome};
use spean_contracts::referral::v1::{GetCustodyRequest, GetNodeStatusRequest, GetNodeStatusResponse, Worklist};
use spean_identity::{Directory, NodeKeys, Role};
use tokio::time::{Instant, timeout};
use tonic::{Code, Status};

/// How long staff wait for an answer before they take it for lost: a node that is stopped gives none.
const PATIENCE: Duration = Duration::from_secs(6);

/// How long they wait for a connection.
const CONNECTED_WITHIN: Duration = Duration::from_secs(2);

/// The longest that a token may hold.
const HOURS: i64 = 72;

/// Somebody at an office.
pub(crate) struct Clerk {
    office: String,
    node: String,
    addresses: Vec<PathBuf>,
    clock: Clock,
    keys: NodeKeys,
    directory: Directory,
    journal: Rc<Journal>,
    began: Instant,
    connection: RefCell<Option<Staff>>,
}

impl Clerk {
    /// Somebody at the node that writes its address into one of these files and goes by this clock.
    #[expect(clippy::too_many_arguments, reason = "there is one place that makes them, where all of it is at hand")]
    pub(crate) fn new(
        office: &str,
        node: &str,
        addresses: Vec<PathBuf>,
        clock: Clock,
        keys: NodeKeys,
        directory: Directory,
        journal: Rc<Journal>,
        began: Instant,
    ) -> Self {
        let (office, node) = (office.to_owned(), node.to_owned());
        Self { office, node, addresses, clock, keys, directory, journal, began, connection: RefCell::default() }
    }

    /// The office.
    pub(crate) fn office(&self) -> &str {
        &self.office
    }

    /// The node.
    pub(crate) fn node(&self) -> &str {
        &self.node
    }

    /// The time of the journal, in microseconds.
    pub(crate) fn now(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    async fn staff(&self) -> Option<Staff> {
        if let Some(staff) = self.connection.borrow().clone() {
            return Some(staff);
        }
        let roles =
            vec![Role::Caseworker, Role::Supervisor, Role::IntakeOfficer, Role::ShelterManager, Role::Administrator];
        let wanted = Wanted {
            node: self.node.parse().ok()?,
            staff: "chaos-01".parse().ok()?,
            offices: vec![self.office.parse().ok()?],
            roles,
            hours: HOURS,
        };
        let token = token(&self.keys, &self.directory, wanted, self.clock.now()).ok()?;
        for file in &self.addresses {
            let Ok(address) = fs::read_to_string(file) else { continue };
            let connected = timeout(CONNECTED_WITHIN, Staff::connect(address.trim(), &self.office, &token)).await;
            if let Ok(Ok(staff)) = connected {
                self.connection.replace(Some(staff.clone()));
                return Some(staff);
            }
        }
        None
    }

    /// Asks once, without writing it down: for what changes nothing. None when it was refused or nobody answered.
    pub(crate) async fn look<T>(&self, ask: impl AsyncFnOnce(Staff) -> Result<T, Status>) -> Option<T> {
        let staff = self.staff().await?;
        self.outcome(timeout(PATIENCE, ask(staff)).await).0
    }

    /// Asks once, and writes down before what is asked and afterwards what came of it.
    pub(crate) async fn ask<T>(
        &self,
        method: &str,
        what: Intent,
        ask: impl AsyncFnOnce(Staff) -> Result<T, Status>,
    ) -> Option<T> {
        let staff = self.staff().await?;
        let number = self.asks(method, what);
        let (answer, outcome, code) = self.outcome(timeout(PATIENCE, ask(staff)).await);
        self.answered(number, outcome, &code);
        answer
    }

    /// Asks for several things at once, each of which is written down for itself; `judge` says what came of each.
    pub(crate) async fn ask_many<T>(
        &self,
        method: &str,
        intents: Vec<Intent>,
        ask: impl AsyncFnOnce(Staff) -> Result<T, Status>,
        judge: impl Fn(&T) -> Vec<Option<String>>,
    ) -> Option<T> {
        let staff = self.staff().await?;
        let numbers: Vec<u64> = intents.into_iter().map(|intent| self.asks(method, intent)).collect();
        let (answer, outcome, code) = self.outcome(timeout(PATIENCE, ask(staff)).await);
        match &answer {
            Some(verdicts) => {
                for (number, refusal) in numbers.into_iter().zip(judge(verdicts)) {
                    let outcome = if refusal.is_none() { Outcome::Ok } else { Outcome::Failed };
                    self.answered(number, outcome, &refusal.unwrap_or_default());
                }
            }
            None => {
                for number in numbers {
                    self.answered(number, outcome, &code);
                }
            }
        }
        answer
    }

    /// How the node says it is.
    pub(crate) async fn status(&self) -> Option<GetNodeStatusResponse> {
        let asked = self.look(async |staff: Staff| {
            Ok(staff.referral().get_node_status(staff.ask(GetNodeStatusRequest {})).await?.into_inner())
        });
        asked.await
    }

    /// How many offers of this office to offices of these nodes are open, and of theirs to it.
    pub(crate) async fn offers_between(&self, nodes: &[String], all: &[Self]) -> Option<usize> {
        let mut between = 0;
        let concerned = |office: &str| {
            all.iter().any(|clerk| clerk.office == office && clerk.node != self.node && nodes.contains(&clerk.node))
        };
        for list in [Worklist::Waiting, Worklist::ToAnswer, Worklist::Bound] {
            let offers = self.look(async |staff: Staff| staff.worklist(list).await).await?;
            between += offers
                .iter()
                .filter(|offer| concerned(&offer.to_office_id) || concerned(&offer.from_office_id))
                .count();
        }
        Some(between)
    }

    /// Who holds a case, as this office knows it; written down with what was read.
    pub(crate) async fn read_custody(&self, case: &str) -> Option<CustodyRead> {
        let staff = self.staff().await?;
        let number = self.asks("GetCustody", Intent::ReadCustody { case: case.to_owned() });
        let asked = async {
            let request = GetCustodyRequest { case_id: case.to_owned() };
            Ok(staff.referral().get_custody(staff.ask(request)).await?.into_inner())
        };
        let (answer, outcome, code) = self.outcome(timeout(PATIENCE, asked).await);
        let read = answer.and_then(|custody| {
            let newest = custody.chain.last()?;
            Some(CustodyRead { term: newest.term, epoch: newest.epoch, holder: newest.holder_office_id.clone() })
        });
        match &read {
            Some(read) => {
                self.journal.read_custody(number, self.now(), read.clone()).expect("the journal can be written");
            }
            None => self.answered(number, outcome, &code),
        }
        read
    }

    fn asks(&self, method: &str, what: Intent) -> u64 {
        self.journal.asks(self.now(), &self.office, method, what).expect("the journal can be written")
    }

    fn answered(&self, number: u64, outcome: Outcome, code: &str) {
        self.journal.answered(number, self.now(), outcome, code).expect("the journal can be written");
    }

    /// What came of a call, for the caller and for the journal. After a failure of the node another connection is made,
    /// with another token.
    fn outcome<T>(
        &self,
        outcome: Result<Result<T, Status>, tokio::time::error::Elapsed>,
    ) -> (Option<T>, Outcome, String) {
        let Ok(answered) = outcome else {
            self.connection.replace(None);
            return (None, Outcome::Unknown, "no answer".to_owned());
        };
        let status = match answered {
            Ok(answer) => return (Some(answer), Outcome::Ok, String::new()),
            Err(status) => status,
        };
        let code = format!("{:?} {}", status.code(), reason(&status));
        match status.code() {
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown | Code::Internal => {
                self.connection.replace(None);
                (None, Outcome::Unknown, code)
            }
            refused => {
                if refused == Code::Unauthenticated {
                    self.connection.replace(None);
                }
                (None, Outcome::Failed, code)
            }
        }
    }
}
