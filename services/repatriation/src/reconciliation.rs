//! Arrivals compared with departures: nobody leaves unaccounted for. Asks the table of [`crate::arrivals`].

use spean_vocabulary::{Date, OfficeId};
use sqlx::any::AnyRow;
use sqlx::{Any, Executor, Row as _};

/// Arrivals compared with departures. Always arrived = present + handed over + left of their own will + missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// The sums.
    pub sums: Sums,
    /// Nights in all.
    pub bed_nights: i64,
    /// Those still here whom nobody has accepted, the longest here first.
    pub waiting: Vec<String>,
    /// Whom the register cannot account for, the longest here first.
    pub unaccounted: Vec<String>,
    /// The sums by day of arrival and route, the earliest first.
    pub days: Vec<(String, String, Sums)>,
}

/// How many came, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// People who arrived.
    pub arrived: i64,
    /// Still here.
    pub present: i64,
    /// Handed over.
    pub handed_over: i64,
    /// Left of their own will.
    pub own_will: i64,
    /// Gone, and nobody knows where.
    pub missing: i64,
}

impl Sums {
    fn add(&mut self, departure: &str, people: i64) {
        self.arrived += people;
        *match departure {
            "" => &mut self.present,
            "handed_over" => &mut self.handed_over,
            "missing" => &mut self.missing,
            _ => &mut self.own_will,
        } += people;
    }
}

/// Compares, for the people who arrived at an office from one day to another, both included. `today` tells which nights
/// are the last two.
pub async fn reconcile<'e, E>(
    office: &OfficeId,
    from: Option<Date>,
    to: Date,
    today: Date,
    executor: &'e E,
) -> Result<Reconciliation, sqlx::Error>
where
    &'e E: Executor<'e, Database = Any>,
{
    let from = from.map(|from| from.to_string()).unwrap_or_default();
    let rows = sqlx::query(
        "select arrived_on, route, departure, count(*), cast(sum(nights) as bigint) from arrival
         where office = $1 and arrived_on >= $2 and arrived_on <= $3
         group by arrived_on, route, departure order by arrived_on, route, departure",
    )
    .bind(office.as_str())
    .bind(&from)
    .bind(to.to_string())
    .fetch_all(executor)
    .await?;
    let mut reconciliation = Reconciliation::default();
    for row in rows {
        let (arrived_on, route, departure): (String, String, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let people: i64 = row.try_get(3)?;
        reconciliation.bed_nights += row.try_get::<i64, _>(4)?;
        reconciliation.sums.add(&departure, people);
        let days = &mut reconciliation.days;
        if days.last().is_none_or(|(day, by, _)| *day != arrived_on || *by != route) {
            days.push((arrived_on, route, Sums::default()));
        }
        if let Some((_, _, sums)) = days.last_mut() {
            sums.add(&departure, people);
        }
    }
    let waiting = sqlx::query(
        "select arrival_id from arrival
         where office = $1 and arrived_on >= $2 and arrived_on <= $3 and departure = '' and accepted_by = ''
         order by arrived_on, registered_position",
    )
    .bind(office.as_str())
    .bind(&from)
    .bind(to.to_string())
    .fetch_all(executor)
    .await?;
    reconciliation.waiting = ids(&waiting)?;
    let unaccounted = sqlx::query(
        "select arrival_id from arrival
         where office = $1 and arrived_on >= $2 and arrived_on <= $3
            and (departure = 'missing' or (departure = '' and arrived_on < $4 and last_night < $5))
         order by arrived_on, registered_position",
    )
    .bind(office.as_str())
    .bind(&from)
    .bind(to.to_string())
    .bind(today.plus_days(-1).to_string())
    .bind(today.plus_days(-2).to_string())
    .fetch_all(executor)
    .await?;
    reconciliation.unaccounted = ids(&unaccounted)?;
    Ok(reconciliation)
}

fn ids(rows: &[AnyRow]) -> Result<Vec<String>, sqlx::Error> {
    rows.iter().map(|row| row.try_get(0)).collect()
}
