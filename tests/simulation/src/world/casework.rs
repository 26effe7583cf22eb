//! What people ask for besides handing cases over, and what must be true of it in the end.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use spean_vocabulary::Service;
use sqlx::Row as _;

use super::{World, said};
use crate::casework::Work;
use crate::history::{Answer, Case, History};
use crate::network::{NODES, OFFICES};
use crate::staff::{Ask, Staff};

/// The services that keep a copy of what an office has to do with a case.
const WITH_STANDINGS: [Service; 4] = [Service::Cases, Service::Shelter, Service::Followup, Service::Repatriation];
/// The first visits of a plan: of more there is no time in a history.
const VISITS: usize = 4;

impl World {
    /// Something to do for somebody; none when there is nothing.
    pub(super) async fn casework(&mut self, office: usize, staff: &Staff) -> anyhow::Result<Option<Ask>> {
        let on = self.nodes[OFFICES[office].1].now().date_in_cambodia().to_string();
        let work = match self.dice.below(12) {
            0 | 1 => self.arrival(office),
            2 => Some(Work::Places { persons: i32::try_from(self.dice.below(4))? }),
            3 => self.some_case(staff).await?.map(|case| Work::Admit { stay: self.new_id(), case, on }),
            4 => {
                let stays = said(staff.residents().await)?;
                let stay = self.dice.below(stays.len().max(1));
                let stay = stays.get(stay).map(|stay| stay.admission_id.clone());
                stay.map(|stay| match self.dice.below(3) {
                    0 => Work::Exit { stay, on },
                    1 => Work::Miss { stay, on },
                    _ => Work::Return { stay, on },
                })
            }
            5 | 6 => self.some_case(staff).await?.map(|case| Work::Plan { case, on }),
            7 | 8 => {
                let visited = said(staff.visited().await)?;
                let number = i32::try_from(1 + self.dice.below(VISITS))?;
                self.one_of(&visited).map(|case| Work::Visit { visit: self.new_id(), case, number, on })
            }
            9 => self.some_case(staff).await?.map(|case| Work::Raise { danger: self.new_id(), case, on }),
            10 => {
                let dangers = said(staff.dangers().await)?;
                self.one_of(&dangers).map(|danger| Work::Lower { danger, on })
            }
            _ => {
                let visited = said(staff.visited().await)?;
                let is_lost = self.dice.one_in(2);
                self.one_of(&visited)
                    .map(|case| if is_lost { Work::Lose { case, on } } else { Work::Find { case, on } })
            }
        };
        Ok(work.map(Ask::Work))
    }

    /// A case that the office holds; now and then any other, or one that there is not.
    async fn some_case(&mut self, staff: &Staff) -> anyhow::Result<Option<String>> {
        let cases: Vec<String> = if self.dice.one_in(8) {
            let invented = self.new_id();
            self.history.cases.iter().map(|case| case.id.clone()).chain([invented]).collect()
        } else {
            said(staff.held().await)?.into_iter().map(|held| held.case_id).collect()
        };
        Ok(self.one_of(&cases))
    }

    fn one_of(&mut self, all: &[String]) -> Option<String> {
        (!all.is_empty()).then(|| all[self.dice.below(all.len())].clone())
    }

    fn arrival(&mut self, office: usize) -> Option<Work> {
        let is_unknown = |case: &Case| case.office == office && case.arrived && case.registered == Answer::Unknown;
        if let Some(number) = self.history.cases.iter().position(is_unknown) {
            return Some(Work::Arrive { case: self.history.cases[number].id.clone(), number });
        }
        let case = self.new_case(office, true)?;
        Some(Work::Arrive { number: self.history.cases.len() - 1, case })
    }

    /// Notes what somebody was told of their work.
    pub(super) fn note_work(&mut self, office: usize, work: &Work, answer: Answer) {
        if let Work::Arrive { case, .. } = work {
            self.note_registration(case, answer);
        }
        let Answer::Done(step) = answer else { return };
        self.lived.worked += 1;
        let (service, thing) = match work {
            Work::Arrive { case, .. } => (Service::Repatriation, case),
            Work::Admit { stay, .. } => (Service::Shelter, stay),
            Work::Plan { case, .. } => (Service::Followup, case),
            Work::Visit { visit, .. } => (Service::Followup, visit),
            Work::Raise { danger, .. } => (Service::Followup, danger),
            _ => return,
        };
        self.history.done.insert((service, thing.clone()), (office, step));
    }

    /// What people were told is done is on record where they did it, and the services of a node know the same of it.
    pub(crate) async fn services_agree(&mut self) -> anyhow::Result<()> {
        self.what_was_done_is_on_record().await?;
        self.standings_are_those_of_the_desk().await?;
        self.beds_are_known_to_the_desk().await?;
        self.services_that_others_give_keep_a_case_open().await?;
        self.plans_went_with_their_cases().await
    }

    async fn what_was_done_is_on_record(&mut self) -> anyhow::Result<()> {
        for ((service, thing), (office, step)) in self.history.done.clone() {
            if self.history.may_be_lost(OFFICES[office].1, step) {
                continue;
            }
            let query = match service {
                Service::Shelter => "select 1 from stay where admission_id = $1",
                Service::Repatriation => "select 1 from arrival where arrival_id = $1",
                _ => {
                    "select 1 from visit_report where visit_id = $1 union select 1 from follow_up where case_id = $1
                     union select 1 from danger where danger_id = $1"
                }
            };
            let store = self.nodes[OFFICES[office].1].store(service).context("every node has all services")?;
            let found = sqlx::query(query).bind(&thing).fetch_optional(store.reader()).await?;
            let (who, what) = (OFFICES[office].0, self.history.called(&thing));
            ensure!(found.is_some(), "what was said is true: {who} did {what} at step {step}, and it is not there");
        }
        Ok(())
    }

    /// Each service believes that an office holds a case when the desk says so, and only then. Of a case that was opened
    /// while a backup was taken, a service may know that was copied after the desk, which forgot it with the disk.
    async fn standings_are_those_of_the_desk(&mut self) -> anyhow::Result<()> {
        for (index, (office, node)) in OFFICES.into_iter().enumerate() {
            let up = self.nodes[node].up().context("all nodes are up")?;
            let held: BTreeSet<String> =
                said(Staff::at(up, index).held().await)?.into_iter().map(|held| held.case_id).collect();
            for service in WITH_STANDINGS {
                let store = self.nodes[node].store(service).context("every node has all services")?;
                let rows = sqlx::query("select case_id from case_standing where office = $1 and standing = 'HOLDS'");
                let rows = rows.bind(office).fetch_all(store.reader()).await?;
                let believed = rows.iter().map(|row| row.try_get(0)).collect::<Result<BTreeSet<String>, _>>()?;
                for case in held.symmetric_difference(&believed).cloned() {
                    let forgotten = said(Staff::at(up, index).custody(&case).await)?.is_none();
                    let registered = self.history.cases.iter().find(|known| known.id == case);
                    if forgotten && registered.is_some_and(|case| self.history.opening_may_be_lost(case)) {
                        continue;
                    }
                    let case_name = self.history.name("case", &case);
                    let said = if held.contains(&case) { "holds" } else { "does not hold" };
                    anyhow::bail!(
                        "services agree: at {}, {office} {said} {case_name}, and {service} believes otherwise",
                        NODES[node]
                    );
                }
            }
        }
        Ok(())
    }

    async fn beds_are_known_to_the_desk(&self) -> anyhow::Result<()> {
        for node in &self.nodes {
            let figures = async |service, query: &'static str| -> anyhow::Result<BTreeMap<String, (i64, i64)>> {
                let store = node.store(service).context("every node has all services")?;
                let rows = sqlx::query(query).fetch_all(store.reader()).await?;
                rows.iter().map(|row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?)))).collect()
            };
            let own = "select office, cast(sum(capacity_persons) as bigint), cast(sum(occupied_persons) as bigint)
                       from house_place group by office";
            let own = figures(Service::Shelter, own).await?;
            let told = "select office, capacity_persons, occupied_persons from occupancy";
            let told = figures(Service::Referral, told).await?;
            let empty = (0, 0);
            for office in own.keys().chain(told.keys()) {
                let (is, is_told) = (own.get(office).unwrap_or(&empty), told.get(office).unwrap_or(&empty));
                ensure!(is == is_told, "services agree: {office} has places {is:?}, and its desk believes {is_told:?}");
            }
        }
        Ok(())
    }

    /// Follow-up closes no case for which a service of another office is open, so it must know of those that are.
    async fn services_that_others_give_keep_a_case_open(&mut self) -> anyhow::Result<()> {
        for (office, node) in OFFICES {
            let cases = async |service, query: &'static str| -> anyhow::Result<BTreeSet<String>> {
                let store = self.nodes[node].store(service).context("every node has all services")?;
                let rows = sqlx::query(query).bind(office).fetch_all(store.reader()).await?;
                Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
            };
            let given = "select case_id from offer where direction = 'out' and kind = 'service' and state = 'ACCEPTED'
                         and office = $1";
            let given = cases(Service::Referral, given).await?;
            let known = "select case_id from desk_matter where services_since <> '' and office = $1";
            let known = cases(Service::Followup, known).await?;
            if let Some(case) = given.symmetric_difference(&known).next().cloned() {
                let words = if given.contains(&case) { "a service is open" } else { "no service is open" };
                let case = self.history.name("case", &case);
                anyhow::bail!(
                    "services agree: for {case} {words} at the desk of {office}, and follow-up believes otherwise"
                );
            }
        }
        Ok(())
    }

    /// Whoever keeps the visits of a case holds it.
    async fn plans_went_with_their_cases(&mut self) -> anyhow::Result<()> {
        for (office, node) in OFFICES {
            let store = self.nodes[node].store(Service::Followup).context("every node has all services")?;
            let stray = sqlx::query(
                "select follow_up.case_id, state from follow_up
                 left join case_standing on case_standing.case_id = follow_up.case_id and office = keeper
                 where keeper = $1 and state <> 'elsewhere'
                    and coalesce(standing, '') not in ('HOLDS', 'HELPS', 'BOUND')",
            );
            if let Some(row) = stray.bind(office).fetch_optional(store.reader()).await? {
                let (case, state): (String, String) = (row.try_get(0)?, row.try_get(1)?);
                let case = self.history.name("case", &case);
                anyhow::bail!("visits go along: those of {case} are {state} at {office}, which does not hold it");
            }
        }
        Ok(())
    }
}

/// The work in words.
pub(super) fn words_of(work: &Work, history: &mut History) -> String {
    match work {
        Work::Arrive { case, .. } => format!("register an arrival, {}", history.name("case", case)),
        Work::Places { persons } => format!("have {persons} places"),
        Work::Admit { stay, case, .. } => {
            format!("take in {} as {}", history.name("case", case), history.name("stay", stay))
        }
        Work::Exit { stay, .. } => format!("end {}", history.name("stay", stay)),
        Work::Miss { stay, .. } => format!("say that {} is away", history.name("stay", stay)),
        Work::Return { stay, .. } => format!("say that {} is back", history.name("stay", stay)),
        Work::Plan { case, .. } => format!("plan visits for {}", history.name("case", case)),
        Work::Visit { visit, case, number, .. } => {
            format!("report {}, number {number} of {}", history.name("visit", visit), history.name("case", case))
        }
        Work::Raise { danger, case, .. } => {
            format!("report {} to {}", history.name("danger", danger), history.name("case", case))
        }
        Work::Lower { danger, .. } => format!("say that {} is over", history.name("danger", danger)),
        Work::Lose { case, .. } => format!("say that {} is lost", history.name("case", case)),
        Work::Find { case, .. } => format!("say that {} is found", history.name("case", case)),
    }
}
