//! What an office has to do: offers to answer, offers that wait for others, cases held; and the books of it all.

use spean_custody::case::{CaseCustody, Certificate, Event, SignedCertificate};
use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{CaseId, OfferId, OfficeId};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Executor, Row as _};

use self::rows::{End, Statement, begin, declined, forget_before, remind, withdrawn};
use crate::desk::place;

mod rows;

/// Tables, projection and queries of the worklists.
pub struct Worklist;

impl ReadModel for Worklist {
    fn name(&self) -> &'static str {
        "worklist"
    }

    fn version(&self) -> i64 {
        3
    }

    fn tables(&self) -> &'static [&'static str] {
        &["offer", "offer_before", "custody_view", "override_proposal"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &[
            "create table offer (
                office text not null,
                offer_id text not null,
                direction text not null,
                case_id text not null,
                case_number text not null,
                kind text not null,
                need text not null,
                urgency text not null,
                other_office text not null,
                state text not null,
                offered_at bigint not null,
                answer_due_at bigint not null,
                sex text not null,
                age_band text not null,
                language text not null,
                decline_reason text not null,
                withdraw_reason text not null,
                outcome text not null,
                instead_of text not null,
                reminders bigint not null,
                meant_for text not null,
                redirected_because text not null,
                successor text not null,
                dossier_withheld bigint not null,
                at_the_top bigint not null,
                primary key (office, offer_id, direction)
            );
            create index offer_of_case on offer (office, case_id, direction);
            create index offer_due on offer (direction, state, answer_due_at)",
            // What came of an offer that has not come itself, or not again: see `End`.
            "create table offer_before (
                office text not null,
                offer_id text not null,
                direction text not null,
                state text not null,
                decline_reason text not null,
                withdraw_reason text not null,
                outcome text not null,
                successor text not null,
                primary key (office, offer_id, direction)
            )",
            "create table custody_view (
                office text not null,
                case_id text not null,
                holder_office text not null,
                term bigint not null,
                epoch bigint not null,
                since bigint not null,
                learned_at bigint not null,
                by_offer text not null,
                chain text not null,
                primary key (office, case_id)
            )",
            "create table override_proposal (
                office text not null,
                case_id text not null,
                proposal text not null,
                new_holder text not null,
                basis text not null,
                proposed_at bigint not null,
                done bigint not null,
                primary key (office, case_id, proposal)
            )",
        ]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let (Some(Ok(what)), Some((office, case))) = (event.event::<CaseCustody>(), place(event)) else {
                return Ok(());
            };
            apply(&office, case, event, what, connection).await
        })
    }
}

async fn apply(
    office: &OfficeId,
    case: CaseId,
    recorded: &Recorded,
    event: Event,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    let at = recorded.metadata.recorded_at.as_micros();
    let statement = match event {
        Event::Opened { certificate } => return learn(office, case, at, &[certificate], connection).await,
        Event::CertificatesLearned { chain, .. } | Event::OverrideIssued { chain, .. } => {
            return learn(office, case, at, &chain, connection).await;
        }
        Event::Transferred { offer, chain, .. } => {
            learn(office, case, at, &chain, connection).await?;
            return End::of("out", offer, "ACCEPTED").note(office, connection).await;
        }
        Event::TransferReceived { offer, chain, .. } => {
            learn(office, case, at, &chain, connection).await?;
            let from = &["OFFERED", "BOUND", "DECLINED"];
            return End { from, ..End::of("in", offer, "ACCEPTED") }.note(office, connection).await;
        }
        Event::Offered { offer, to, terms, .. } => {
            begin(office, "out", offer, case, &to.office, &terms, at).execute(&mut *connection).await?;
            forget_before(office, "out", offer)
        }
        Event::OfferReceived { offer, from, terms, .. } => {
            begin(office, "in", offer, case, &from.office, &terms, at).execute(&mut *connection).await?;
            forget_before(office, "in", offer)
        }
        Event::Reminded { offer, number, .. } => remind(office, "out", offer, number),
        Event::ReminderReceived { offer, number, .. } => remind(office, "in", offer, number),
        Event::Withdrawn { offer, reason, .. } => {
            return withdrawn("out", offer, reason).note(office, connection).await;
        }
        Event::WithdrawalReceived { offer, reason, .. } => {
            let end = withdrawn("in", offer, reason);
            return End { may_be_first: true, ..end }.note(office, connection).await;
        }
        Event::OfferDeclined { offer, reason, successor, .. } => {
            return declined("out", offer, reason, successor).note(office, connection).await;
        }
        Event::Declined { offer, reason, successor, .. } => {
            let end = declined("in", offer, reason, successor);
            return End { from: &["OFFERED", "VOIDED"], may_be_first: true, ..end }.note(office, connection).await;
        }
        Event::Accepted { offer, .. } => {
            let end = End { from: &["OFFERED"], may_be_first: true, ..End::of("in", offer, "BOUND") };
            return end.note(office, connection).await;
        }
        Event::ServiceAgreed { offer, .. } => {
            return End::of("out", offer, "ACCEPTED").note(office, connection).await;
        }
        Event::AgreementReceived { offer, .. } => {
            let end = End { from: &["BOUND", "VOIDED"], ..End::of("in", offer, "ACCEPTED") };
            return end.note(office, connection).await;
        }
        Event::ServiceConcluded { offer, outcome, .. } => {
            let outcome = outcome.to_string();
            return End { outcome, ..End::of("out", offer, "CONCLUDED") }.note(office, connection).await;
        }
        Event::Concluded { offer, outcome, .. } => {
            let outcome = outcome.to_string();
            let end = End { outcome, may_be_first: true, ..End::of("in", offer, "CONCLUDED") };
            return end.note(office, connection).await;
        }
        Event::OfferVoided { offer, .. } => {
            End::of("out", offer, "VOIDED").note(office, connection).await?;
            return End::of("in", offer, "VOIDED").note(office, connection).await;
        }
        Event::OverrideProposed { chain, .. } => return end_by_certificate(office, &chain, connection).await,
        Event::OverrideProposalReceived { certificate, chain, .. } => {
            end_by_certificate(office, &chain, connection).await?;
            propose(office, case, &certificate)
        }
        Event::OverrideConsentGiven { proposal, .. } | Event::OverrideCosignatureGiven { proposal, .. } => {
            sqlx::query("update override_proposal set done = 1 where office = $1 and case_id = $2 and proposal = $3")
                .bind(office.to_string())
                .bind(case.to_string())
                .bind(proposal.to_string())
        }
        Event::AboveNotified { .. }
        | Event::WithdrawalRepeated { .. }
        | Event::UnansweredNoticeReceived { .. }
        | Event::OverrideForwarded { .. }
        | Event::OverrideConsentReceived { .. }
        | Event::OverrideCosignatureReceived { .. } => return Ok(()),
    };
    statement.execute(connection).await?;
    Ok(())
}

fn propose(office: &OfficeId, case: CaseId, certificate: &Certificate) -> Statement {
    sqlx::query(
        "insert into override_proposal (office, case_id, proposal, new_holder, basis, proposed_at, done)
         values ($1, $2, $3, $4, $5, $6, 0) on conflict (office, case_id, proposal) do nothing",
    )
    .bind(office.to_string())
    .bind(case.to_string())
    .bind(certificate.digest().to_string())
    .bind(certificate.holder.office.to_string())
    .bind(certificate.basis.map(|basis| basis.to_string()).unwrap_or_default())
    .bind(certificate.issued_at.as_micros())
}

/// Whoever has the certificate knows how the offer ended, however it became known.
async fn end_by_certificate(
    office: &OfficeId,
    chain: &[SignedCertificate],
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    for Certificate { offer, issued_by, .. } in chain.iter().map(|signed| &signed.certificate) {
        if let Some(offer) = offer.filter(|_| issued_by.office == *office) {
            let end = End { may_be_first: true, ..End::of("out", offer, "ACCEPTED") };
            end.note(office, connection).await?;
        }
    }
    Ok(())
}

/// The highest certificate wins, in whatever order they come.
async fn learn(
    office: &OfficeId,
    case: CaseId,
    at: i64,
    chain: &[SignedCertificate],
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    let Some(newest) = chain.last().map(|signed| &signed.certificate) else { return Ok(()) };
    end_by_certificate(office, chain, connection).await?;
    sqlx::query(
        "insert into custody_view (office, case_id, holder_office, term, epoch, since, learned_at, by_offer, chain)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (office, case_id) do update set holder_office = excluded.holder_office, term = excluded.term,
            epoch = excluded.epoch, since = excluded.since, learned_at = excluded.learned_at, by_offer = excluded.by_offer,
            chain = excluded.chain
         where excluded.term > custody_view.term
            or (excluded.term = custody_view.term and excluded.epoch > custody_view.epoch)",
    )
    .bind(office.to_string())
    .bind(case.to_string())
    .bind(newest.holder.office.to_string())
    .bind(i64::from(newest.term))
    .bind(i64::from(newest.epoch))
    .bind(newest.issued_at.as_micros())
    .bind(at)
    .bind(newest.offer.map(|offer| offer.to_string()).unwrap_or_default())
    .bind(serde_json::to_string(chain).expect("certificates have text keys only"))
    .execute(&mut *connection)
    .await?;
    Ok(())
}

/// An offer as a list shows it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of the wire's Offer")]
pub struct Entry {
    pub office: String,
    pub offer_id: String,
    pub direction: String,
    pub case_id: String,
    pub case_number: String,
    pub kind: String,
    pub need: String,
    pub urgency: String,
    pub other_office: String,
    pub state: String,
    pub offered_at: i64,
    pub answer_due_at: i64,
    pub sex: String,
    pub age_band: String,
    pub language: String,
    pub decline_reason: String,
    pub withdraw_reason: String,
    pub outcome: String,
    pub instead_of: String,
    pub reminders: i64,
    pub meant_for: String,
    pub redirected_because: String,
    pub dossier_withheld: bool,
    pub at_the_top: bool,
}

const ENTRY: &str =
    "select office, offer_id, direction, case_id, case_number, kind, need, urgency, other_office, state,
    offered_at, answer_due_at, sex, age_band, language, decline_reason, withdraw_reason, outcome, instead_of, reminders,
    meant_for, redirected_because, dossier_withheld, at_the_top from offer";

/// Which offers of an office are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// All.
    All,
    /// Those that wait for this office's answer, the most pressing first.
    ToAnswer,
    /// Those that wait for another office's answer, the oldest first.
    Waiting,
    /// Accepted here, the certificate is not here yet.
    Bound,
    /// Nobody answers, and nobody is left to ask; the oldest first.
    UnansweredAtTheTop,
}

/// The offers of an office, and of those that it answers for.
pub async fn list(
    offices: &[OfficeId],
    list: List,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let (condition, order) = match list {
        List::All => ("1 = 1", "offered_at desc"),
        List::ToAnswer => ("direction = 'in' and state = 'OFFERED'", "answer_due_at"),
        List::Waiting => ("direction = 'out' and state = 'OFFERED'", "offered_at"),
        List::Bound => ("direction = 'in' and state = 'BOUND'", "offered_at"),
        List::UnansweredAtTheTop => ("state = 'OFFERED' and at_the_top = 1", "offered_at"),
    };
    let places: Vec<_> = (1..=offices.len()).map(|index| format!("${index}")).collect();
    let (next, after) = (offices.len() + 1, offices.len() + 2);
    let sql = format!(
        "{ENTRY} where office in ({}) and {condition} order by {order}, offer_id, office, direction
         limit ${next} offset ${after}",
        places.join(", ")
    );
    let query = offices.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, office| query.bind(office.to_string()));
    let rows = query.bind(limit).bind(offset).fetch_all(executor).await?;
    rows.iter().map(entry).collect()
}

/// An offer as an office knows it: the one it received before the one it made.
pub async fn find(
    office: &OfficeId,
    offer: OfferId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<Entry>, sqlx::Error> {
    let sql = format!("{ENTRY} where office = $1 and offer_id = $2 order by direction limit 1");
    let row =
        sqlx::query(AssertSqlSafe(sql)).bind(office.as_str()).bind(offer.to_string()).fetch_optional(executor).await?;
    row.as_ref().map(entry).transpose()
}

fn entry(row: &AnyRow) -> Result<Entry, sqlx::Error> {
    Ok(Entry {
        office: row.try_get(0)?,
        offer_id: row.try_get(1)?,
        direction: row.try_get(2)?,
        case_id: row.try_get(3)?,
        case_number: row.try_get(4)?,
        kind: row.try_get(5)?,
        need: row.try_get(6)?,
        urgency: row.try_get(7)?,
        other_office: row.try_get(8)?,
        state: row.try_get(9)?,
        offered_at: row.try_get(10)?,
        answer_due_at: row.try_get(11)?,
        sex: row.try_get(12)?,
        age_band: row.try_get(13)?,
        language: row.try_get(14)?,
        decline_reason: row.try_get(15)?,
        withdraw_reason: row.try_get(16)?,
        outcome: row.try_get(17)?,
        instead_of: row.try_get(18)?,
        reminders: row.try_get(19)?,
        meant_for: row.try_get(20)?,
        redirected_because: row.try_get(21)?,
        dossier_withheld: row.try_get::<i64, _>(22)? != 0,
        at_the_top: row.try_get::<i64, _>(23)? != 0,
    })
}

/// What an office knows of a case's custody.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of the wire's Certificate")]
pub struct View {
    pub office: String,
    pub case_id: String,
    pub holder_office: String,
    pub term: i64,
    pub epoch: i64,
    pub since: i64,
    pub learned_at: i64,
    pub chain: Vec<SignedCertificate>,
}

const VIEW: &str = "select office, case_id, holder_office, term, epoch, since, learned_at, chain from custody_view";

/// What an office knows of a case.
pub async fn view(
    office: &OfficeId,
    case: CaseId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<View>, sqlx::Error> {
    let sql = format!("{VIEW} where office = $1 and case_id = $2");
    let row =
        sqlx::query(AssertSqlSafe(sql)).bind(office.as_str()).bind(case.to_string()).fetch_optional(executor).await?;
    row.as_ref().map(read_view).transpose()
}

/// The cases that an office holds, the newest first.
pub async fn held(
    office: &OfficeId,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<View>, sqlx::Error> {
    let sql =
        format!("{VIEW} where office = $1 and holder_office = $1 order by since desc, case_id limit $2 offset $3");
    let rows =
        sqlx::query(AssertSqlSafe(sql)).bind(office.as_str()).bind(limit).bind(offset).fetch_all(executor).await?;
    rows.iter().map(read_view).collect()
}

fn read_view(row: &AnyRow) -> Result<View, sqlx::Error> {
    let chain: &str = row.try_get(7)?;
    Ok(View {
        office: row.try_get(0)?,
        case_id: row.try_get(1)?,
        holder_office: row.try_get(2)?,
        term: row.try_get(3)?,
        epoch: row.try_get(4)?,
        since: row.try_get(5)?,
        learned_at: row.try_get(6)?,
        chain: serde_json::from_str(chain).map_err(|error| sqlx::Error::Decode(error.into()))?,
    })
}

/// One line of the books: how many offers of an office, in this direction and state, and the oldest of them.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "said above")]
pub struct Count {
    pub office: String,
    pub direction: String,
    pub state: String,
    pub offers: i64,
    pub oldest_at: i64,
}

/// The books of this node.
pub async fn counts(executor: impl Executor<'_, Database = Any>) -> Result<Vec<Count>, sqlx::Error> {
    let rows = sqlx::query(
        "select office, direction, state, count(*), min(offered_at) from offer group by office, direction, state
         union all
         select office, 'held', 'HELD', count(*), min(since) from custody_view where holder_office = office
         group by office order by 1, 2, 3",
    )
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Count {
                office: row.try_get(0)?,
                direction: row.try_get(1)?,
                state: row.try_get(2)?,
                offers: row.try_get(3)?,
                oldest_at: row.try_get(4)?,
            })
        })
        .collect()
}

/// An override that waits for an office.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of the wire's OverrideProposal")]
pub struct Proposal {
    pub case_id: String,
    pub proposal: String,
    pub new_holder: String,
    pub basis: String,
    pub proposed_at: i64,
}

/// Overrides that wait for an office, the oldest first.
pub async fn proposals(
    office: &OfficeId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Proposal>, sqlx::Error> {
    let rows = sqlx::query(
        "select case_id, proposal, new_holder, basis, proposed_at from override_proposal
         where office = $1 and done = 0 order by proposed_at, case_id",
    )
    .bind(office.as_str())
    .fetch_all(executor)
    .await?;
    let read = |row: &AnyRow| {
        Ok(Proposal {
            case_id: row.try_get(0)?,
            proposal: row.try_get(1)?,
            new_holder: row.try_get(2)?,
            basis: row.try_get(3)?,
            proposed_at: row.try_get(4)?,
        })
    };
    rows.iter().map(read).collect()
}

#[cfg(test)]
mod tests;
