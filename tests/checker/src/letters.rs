//! C5: the letters between services, at both ends.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AnyConnection, Row as _};

use crate::report::{Check, Report};

/// From, to, incarnation and number of a letter; the ends are `node/service`.
type Key = (String, String, i64, i64);

/// What a letter says, as far as its ends can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    kind: String,
    case: String,
    body: Vec<u8>,
}

/// What the post offices of all nodes keep.
#[derive(Debug, Default)]
pub(crate) struct Letters {
    out: BTreeMap<Key, Said>,
    got: BTreeMap<Key, Said>,
    ends: BTreeSet<String>,
}

impl Letters {
    /// Reads the post office of one service.
    pub(crate) async fn read(
        &mut self,
        me: &str,
        explained: &BTreeSet<String>,
        connection: &mut AnyConnection,
        report: &mut Report,
    ) -> Result<(), sqlx::Error> {
        self.ends.insert(me.to_owned());
        let out = sqlx::query("select peer, incarnation, sequence, kind, case_id, body, settled_at from post_out");
        let mut waiting: BTreeMap<String, usize> = BTreeMap::new();
        for row in out.fetch_all(&mut *connection).await? {
            let peer: String = row.try_get(0)?;
            let key = (me.to_owned(), peer.clone(), row.try_get(1)?, row.try_get(2)?);
            let said = Said { kind: row.try_get(3)?, case: row.try_get(4)?, body: row.try_get(5)? };
            if row.try_get::<Option<i64>, _>(6)?.is_some() {
                self.out.insert(key, said);
            } else {
                *waiting.entry(peer).or_default() += 1;
            }
        }
        for (peer, count) in waiting {
            report.find(Check::C5, format!("{me} has {count} letters that {peer} never confirmed"));
        }
        let got = sqlx::query("select peer, incarnation, sequence, kind, case_id, content, state, reason from post_in");
        for row in got.fetch_all(&mut *connection).await? {
            let (peer, case, state): (String, String, String) = (row.try_get(0)?, row.try_get(4)?, row.try_get(6)?);
            let (kind, reason): (String, String) = (row.try_get(3)?, row.try_get(7)?);
            let is_settled = matches!(state.as_str(), "applied" | "discarded");
            let is_explained = state == "dead" && explained.contains(&reason);
            if !(is_settled || is_explained) {
                report.find(
                    Check::C5,
                    format!("{me}: a letter `{kind}` from {peer} about case {case} is {state} ({reason})"),
                );
            }
            if !matches!(state.as_str(), "parked") && peer != me {
                let body = field(row.try_get::<&[u8], _>(5)?, BODY).unwrap_or_default().to_vec();
                self.got.insert((peer, me.to_owned(), row.try_get(1)?, row.try_get(2)?), Said { kind, case, body });
            }
        }
        for row in sqlx::query("select reason from post_unreadable").fetch_all(&mut *connection).await? {
            let reason: String = row.try_get(0)?;
            if !explained.contains(&reason) {
                report.find(Check::C5, format!("{me} set a message aside: {reason}"));
            }
        }
        for (table, what) in
            [("post_recovery", "waits for answers after a restore"), ("post_returned", "has not merged all answers")]
        {
            let sql = format!("select count(*) from {table}");
            let count: i64 = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&mut *connection).await?.try_get(0)?;
            if count > 0 {
                report.find(Check::C5, format!("{me} {what} ({count})"));
            }
        }
        Ok(())
    }

    /// Whether each confirmed letter is at its receiver, and says there what it said here.
    pub(crate) fn check(&self, report: &mut Report) {
        report.count("confirmed letters", self.out.len());
        for (key @ (from, to, incarnation, sequence), said) in &self.out {
            if !self.ends.contains(to) {
                continue;
            }
            let words = match self.got.get(key) {
                None => "was confirmed and never came",
                Some(got) if got != said => "says something else at its receiver",
                Some(_) => continue,
            };
            let Said { kind, case, .. } = said;
            report.find(
                Check::C5,
                format!("letter {incarnation}.{sequence} `{kind}` from {from} to {to} about case {case} {words}"),
            );
        }
    }
}

/// What the post office of one service has under way.
pub(crate) async fn waiting(me: &str, connection: &mut AnyConnection, report: &mut Report) -> Result<(), sqlx::Error> {
    let sent = sqlx::query("select peer, count(*) from post_out where settled_at is null group by peer");
    for row in sent.fetch_all(&mut *connection).await? {
        let (peer, count): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        report.find(Check::C5, format!("{me}: {count} letters to {peer}"));
    }
    let parked = sqlx::query("select count(*) from post_in where state = 'parked'").fetch_one(connection).await?;
    let parked: i64 = parked.try_get(0)?;
    if parked > 0 {
        report.find(Check::C5, format!("{me}: {parked} letters that wait for others"));
    }
    Ok(())
}

/// The number of the field that holds the message in the content of a letter.
const BODY: u64 = 5;

/// A field of bytes in a message of protobuf; none when it is not there or the message is malformed.
fn field(mut message: &[u8], wanted: u64) -> Option<&[u8]> {
    let mut found = None;
    while !message.is_empty() {
        let key = varint(&mut message)?;
        match key & 7 {
            0 => drop(varint(&mut message)?),
            1 => message = message.get(8..)?,
            2 => {
                let length = usize::try_from(varint(&mut message)?).ok()?;
                let (bytes, rest) = message.split_at_checked(length)?;
                if key >> 3 == wanted {
                    found = Some(bytes);
                }
                message = rest;
            }
            5 => message = message.get(4..)?,
            _ => return None,
        }
    }
    found
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
