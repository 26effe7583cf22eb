//! Where an offer goes when nobody can answer at the office it is meant for.
//!
//! How an office stands is said by the directory: its signed editions, and what our own directory service tells of every
//! office of the network. An office that closed leads to its successor, an empty one to whoever stands in for it, and
//! without either to the nearest office above at which somebody works.

use std::collections::{BTreeMap, BTreeSet};

use spean_contracts::directory::v1::{OfficeStatus, OfficeStatusChanged};
use spean_eventstore::Tables;
use spean_identity::{Directory, Office, OfficeLevel};
use spean_vocabulary::{Date, OfficeId, Redirection};
use sqlx::{Any, AnyConnection, Executor, Row as _};

/// What the directory service told of offices, the newest of each.
pub(crate) const TABLES: Tables = Tables {
    name: "routing",
    steps: &["
        create table office_status (
            office text primary key,
            version bigint not null,
            status bigint not null,
            stand_in text not null,
            successor text not null
        )
    "],
};

/// Notes how an office stands, unless something newer is known.
pub(crate) async fn record(told: &OfficeStatusChanged, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into office_status (office, version, status, stand_in, successor) values ($1, $2, $3, $4, $5)
         on conflict (office) do update set version = excluded.version, status = excluded.status,
            stand_in = excluded.stand_in, successor = excluded.successor
         where excluded.version > office_status.version",
    )
    .bind(&told.office_id)
    .bind(told.version)
    .bind(i64::from(told.status))
    .bind(&told.stand_in_office_id)
    .bind(&told.successor_office_id)
    .execute(connection)
    .await?;
    Ok(())
}

/// What was told of offices.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statuses(BTreeMap<OfficeId, Standing>);

/// How an office stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Somebody works there.
    Open,
    /// Nobody does just now.
    Unstaffed { stand_in: Option<OfficeId> },
    /// It is closed for good.
    Closed { successor: Option<OfficeId>, stand_in: Option<OfficeId> },
}

/// Whom to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// The office.
    pub(crate) to: OfficeId,
    /// Why another one than was meant; none when it is that one.
    pub(crate) because: Option<Redirection>,
}

/// The directory, what was told since, and the day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Routing<'d> {
    pub(crate) directory: &'d Directory,
    pub(crate) statuses: &'d Statuses,
    pub(crate) today: Date,
}

impl Statuses {
    /// All that was told.
    pub(crate) async fn load(executor: impl Executor<'_, Database = Any>) -> Result<Self, sqlx::Error> {
        let rows = sqlx::query("select office, status, stand_in, successor from office_status order by office");
        let mut statuses = BTreeMap::new();
        for row in rows.fetch_all(executor).await? {
            let office: Option<OfficeId> = row.try_get::<&str, _>(0)?.parse().ok();
            let status = i32::try_from(row.try_get::<i64, _>(1)?).unwrap_or_default();
            let (stand_in, successor) =
                (row.try_get::<&str, _>(2)?.parse().ok(), row.try_get::<&str, _>(3)?.parse().ok());
            let standing = match OfficeStatus::try_from(status) {
                Ok(OfficeStatus::Open) => Standing::Open,
                Ok(OfficeStatus::Unstaffed) => Standing::Unstaffed { stand_in },
                Ok(OfficeStatus::Closed) => Standing::Closed { successor, stand_in },
                // A word of a later version: what the signed directory says must do.
                Ok(OfficeStatus::Unspecified) | Err(_) => continue,
            };
            if let Some(office) = office {
                statuses.insert(office, standing);
            }
        }
        Ok(Self(statuses))
    }
}

impl Routing<'_> {
    /// How an office stands today; none when nobody ever heard of it.
    pub(crate) fn standing(&self, office: &OfficeId) -> Option<Standing> {
        let known = self.directory.office(office);
        if let Some(closed) = known.filter(|known| known.is_closed_on(self.today)) {
            let stand_in = match self.statuses.0.get(office) {
                Some(Standing::Unstaffed { stand_in } | Standing::Closed { stand_in, .. }) => stand_in.clone(),
                _ => None,
            };
            return Some(Standing::Closed { successor: closed.successor.clone(), stand_in });
        }
        if let Some(told) = self.statuses.0.get(office) {
            return Some(told.clone());
        }
        known.map(|known| {
            if known.staffed && known.exists_on(self.today) {
                Standing::Open
            } else {
                Standing::Unstaffed { stand_in: None }
            }
        })
    }

    /// Whether somebody can answer at this office.
    pub(crate) fn answers(&self, office: &OfficeId) -> bool {
        let holds_cases = self.directory.office(office).is_some_and(|office| office.level != OfficeLevel::Commune);
        holds_cases && self.standing(office) == Some(Standing::Open)
    }

    /// The offices above one at which somebody can answer, the nearest first.
    pub(crate) fn ladder(&self, office: &OfficeId) -> impl Iterator<Item = &Office> {
        self.directory.ladder(office).filter(|above| self.answers(&above.id))
    }

    /// Whom to ask in place of an office; none when there is nobody in the whole network who could answer.
    pub(crate) fn route(&self, meant_for: &OfficeId) -> Option<Route> {
        let mut office = meant_for.clone();
        let mut because = None;
        let mut passed = BTreeSet::new();
        while !self.answers(&office) && passed.insert(office.clone()) {
            let (next, why) = self.instead_of(&office);
            // Why it did not go where it was meant to is told, not why it went on from there.
            because = because.or(Some(why));
            match next {
                Some(next) => office = next,
                None => break,
            }
        }
        if self.answers(&office) {
            return Some(Route { to: office, because });
        }
        // Those named stand in for each other, or are nowhere: the ladder is always there.
        self.ladder(meant_for).next().map(|above| Route { to: above.id.clone(), because })
    }

    fn instead_of(&self, office: &OfficeId) -> (Option<OfficeId>, Redirection) {
        let above = || self.ladder(office).next().map(|above| above.id.clone());
        match self.standing(office) {
            Some(Standing::Closed { successor: Some(successor), .. }) => (Some(successor), Redirection::Moved),
            Some(Standing::Closed { stand_in, .. }) => (stand_in.or_else(above), Redirection::Closed),
            Some(Standing::Unstaffed { stand_in: Some(stand_in) }) => (Some(stand_in), Redirection::StandsIn),
            Some(Standing::Unstaffed { stand_in: None } | Standing::Open) | None => (above(), Redirection::Unstaffed),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
