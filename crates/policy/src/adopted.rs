//! The policies that a service has worked by, each from an instant on.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{Date, Timestamp};

use crate::Policy;

/// The one stream of policies in a log.
pub const STREAM: &str = "policy";

/// All policies of a service, the first one first.
#[derive(Clone, Debug, Default)]
pub struct Adopted {
    adoptions: Vec<Adoption>,
}

/// A policy in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// 1, 2, 3 and so on; 0 for the standard that was in force before anything was written down.
    pub version: u32,
    /// Its digest.
    pub digest: String,
    /// From when on; none for version 0.
    pub adopted_at: Option<Timestamp>,
    /// What it says.
    pub policy: Arc<Policy>,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Work by this policy from now on.
    Adopt(Policy),
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A policy came into force: the first one, or one that says something else than the one before.
    PolicyAdopted {
        /// One more than that of the policy before.
        version: u32,
        /// SHA-256 over all its figures, in hexadecimal.
        digest: String,
        /// The whole of it, since nobody keeps old files.
        policy: Box<Policy>,
        /// From when on.
        adopted_at: Timestamp,
    },
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// Nobody can work by it.
    #[error("the policy cannot be worked by: {0}")]
    PolicyNotUsable(crate::PolicyError),
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        Fault::Field("policy")
    }
}

impl Aggregate for Adopted {
    const CATEGORY: &'static str = "policy";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, Command::Adopt(policy): Command, context: &Context) -> Result<Vec<Event>, Error> {
        policy.check().map_err(Error::PolicyNotUsable)?;
        let last = self.adoptions.last();
        if last.is_some_and(|last| *last.policy == policy) {
            return Ok(vec![]);
        }
        let version = last.map_or(0, |last| last.version) + 1;
        // A clock that went back must not let an earlier policy reach beyond a later one.
        let adopted_at = context.now.max(last.and_then(|last| last.adopted_at).unwrap_or(context.now));
        Ok(vec![Event::PolicyAdopted { version, digest: policy.digest(), policy: Box::new(policy), adopted_at }])
    }

    fn evolve(mut self, event: &Event) -> Self {
        let Event::PolicyAdopted { version, digest, policy, adopted_at } = event.clone();
        self.adoptions.push(Adoption { version, digest, adopted_at: Some(adopted_at), policy: Arc::from(policy) });
        self
    }
}

impl Adopted {
    /// The policy that was in force at an instant: the standard before the first one was written down.
    pub fn on(&self, at: Timestamp) -> Adoption {
        let in_force = |adoption: &&Adoption| adoption.adopted_at.is_some_and(|from| from <= at);
        self.adoptions.iter().rev().find(in_force).cloned().unwrap_or_else(Adoption::before_any)
    }

    /// The policy that was in force at the end of a day in Cambodia.
    pub fn at_end_of(&self, day: Date) -> Adoption {
        let in_force = |adoption: &&Adoption| adoption.adopted_at.is_some_and(|from| from.date_in_cambodia() <= day);
        self.adoptions.iter().rev().find(in_force).cloned().unwrap_or_else(Adoption::before_any)
    }

    /// The policy in force now.
    pub fn current(&self) -> Adoption {
        self.adoptions.last().cloned().unwrap_or_else(Adoption::before_any)
    }
}

impl Adoption {
    fn before_any() -> Self {
        let policy = Policy::standard();
        Self { version: 0, digest: policy.digest(), adopted_at: None, policy: Arc::new(policy) }
    }
}

#[cfg(test)]
mod tests {
    use spean_eventsourcing::specification::given;

    use super::*;

    const MORNING: Timestamp = Timestamp::from_micros(1_795_300_200_000_000);

    fn the_node(now: Timestamp) -> Context {
        Context { office: "kandal-province".parse().unwrap(), staff: None, now }
    }

    fn with_months(months: i32) -> Policy {
        Policy::from_toml(&format!("[visits]\nmonths = {months}")).unwrap()
    }

    fn adopted(version: u32, policy: &Policy, adopted_at: Timestamp) -> Event {
        Event::PolicyAdopted { version, digest: policy.digest(), policy: Box::new(policy.clone()), adopted_at }
    }

    #[test]
    fn the_first_policy_is_written_down_once_however_often_the_service_starts() {
        let adopt = Command::Adopt(Policy::standard());
        given::<Adopted>([]).when(&the_node(MORNING), adopt.clone()).then([adopted(1, &Policy::standard(), MORNING)]);
        given::<Adopted>([adopted(1, &Policy::standard(), MORNING)])
            .when(&the_node(MORNING.plus_days(9)), adopt)
            .then_nothing();
    }

    #[test]
    fn a_changed_file_is_the_next_version_and_so_is_one_that_went_back() {
        let (first, second) = (Policy::standard(), with_months(18));
        let tomorrow = MORNING.plus_days(1);
        given::<Adopted>([adopted(1, &first, MORNING)])
            .when(&the_node(tomorrow), Command::Adopt(second.clone()))
            .then([adopted(2, &second, tomorrow)]);
        given::<Adopted>([adopted(1, &first, MORNING), adopted(2, &second, tomorrow)])
            .when(&the_node(tomorrow.plus_days(1)), Command::Adopt(first.clone()))
            .then([adopted(3, &first, tomorrow.plus_days(1))]);
    }

    #[test]
    fn a_policy_that_nobody_can_work_by_is_not_adopted() {
        let mut policy = Policy::standard();
        policy.visits.every_months = 0;
        let error = policy.check().unwrap_err();
        given::<Adopted>([])
            .when(&the_node(MORNING), Command::Adopt(policy))
            .then_error(&Error::PolicyNotUsable(error));
    }

    #[test]
    fn an_old_decision_is_judged_by_the_policy_of_its_day() {
        let history = [adopted(1, &with_months(6), MORNING), adopted(2, &with_months(18), MORNING.plus_days(100))];
        let policies = Adopted::fold(&history);
        let on = |at: Timestamp| (policies.on(at).version, policies.on(at).policy.visits.months);
        assert_eq!(on(MORNING.plus_days(-1)), (0, 12), "before the first one there was the standard");
        assert_eq!(on(MORNING), (1, 6));
        assert_eq!(on(MORNING.plus_days(99)), (1, 6));
        assert_eq!(on(MORNING.plus_days(100)), (2, 18));
        let day = MORNING.plus_days(100).date_in_cambodia();
        assert_eq!((policies.at_end_of(day).version, policies.at_end_of(day.plus_days(-1)).version), (2, 1));
        assert_eq!(policies.current().version, 2);
        assert_eq!(Adopted::default().current().version, 0);
    }

    #[test]
    fn a_clock_that_went_back_does_not_hide_the_newer_policy() {
        let history = [adopted(1, &with_months(6), MORNING)];
        let earlier = the_node(MORNING.plus_days(-2));
        given::<Adopted>(history).when(&earlier, Command::Adopt(with_months(18))).then([adopted(
            2,
            &with_months(18),
            MORNING,
        )]);
    }
}
