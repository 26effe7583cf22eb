//! Seventeen men from Malaysia: one manifest, one faulty row, one man who is known already. Sixteen go on to where they
//! come from, and the centre's books balance.

use anyhow::{Context as _, ensure};
use spean_contracts::cases::v1::LinkCasesRequest;
use spean_contracts::referral::v1::OfferKind;
use spean_contracts::repatriation::v1::{
    Authority, AuthorityKind, Circumstances, DepartureKind, ImportManifestRequest, ListArrivalsRequest,
    ReconcileArrivalsRequest, RecordDepartureRequest, RecordStayRequest, Route,
};
use spean_contracts::vocabulary::v1::{
    Birth, ConsentBasis, Document, Name, Need, PageRequest, Person, Sex, Urgency, birth,
};
use spean_identity::Role;
use tonic::Status;

use super::six_girls::{answer, held_by};
use super::{once_known, reason};
use crate::demonstration::agencies::TRANSIT_CENTRE;
use crate::demonstration::narrator::{Narrator, place};
use crate::demonstration::staff::{Asking, Staff, new_id};
use crate::demonstration::stage::Stage;

const MANIFEST: &str = include_str!("../../../../repatriation/examples/manifest.csv");
/// The passport of the man who has been here before.
const KNOWN_PASSPORT: &str = "N0417733";
const HOMEWARDS: Asking =
    Asking { kind: OfferKind::Transfer, need: Need::ReintegrationFollowUp, urgency: Urgency::Urgent };

/// Plays the story. Returns the cases.
pub async fn seventeen_men(stage: &Stage, narrator: &Narrator) -> anyhow::Result<Vec<String>> {
    narrator.chapter("Seventeen men from Malaysia, one manifest");
    let intake = [Role::IntakeOfficer, Role::Caseworker, Role::Supervisor];
    let centre = stage.staff("ptc-11", TRANSIT_CENTRE, &intake).await?;
    let today = stage.clock().now().date_in_cambodia();
    let nights = [today.plus_days(-2).to_string(), today.plus_days(-1).to_string()];
    let known = earlier_case(&centre).await?;
    let arrivals = import(&centre, narrator, &nights[0]).await?;
    let linked = link(&centre, narrator, &known, &arrivals).await?;
    refer(stage, narrator, &centre, &arrivals).await?;
    depart(&centre, narrator, &arrivals, &nights, &today.to_string()).await?;
    let mut cases = arrivals;
    ensure!(cases.contains(&linked), "the known man is one of the sixteen");
    cases.push(known);
    Ok(cases)
}

/// A man came back two years ago, and the centre still holds his case.
async fn earlier_case(centre: &Staff) -> anyhow::Result<String> {
    let case = new_id();
    let person = Person {
        latin_name: Some(Name { family: "Kumru".to_owned(), given: "Sovann".to_owned() }),
        sex: Sex::Male.into(),
        birth: Some(Birth { known: Some(birth::Known::Year(1988)) }),
        documents: vec![Document { kind: "passport".to_owned(), number: KNOWN_PASSPORT.to_owned() }],
        ..Person::default()
    };
    centre.register(&case, person).await?;
    Ok(case)
}

async fn import(centre: &Staff, narrator: &Narrator, arrived_on: &str) -> anyhow::Result<Vec<String>> {
    let request = ImportManifestRequest {
        manifest_id: new_id(),
        csv: MANIFEST.as_bytes().to_vec(),
        circumstances: Some(Circumstances {
            route: Route::Repatriation.into(),
            from_country: "MY".to_owned(),
            arrived_on: arrived_on.to_owned(),
            authority: Some(Authority { kind: AuthorityKind::Immigration.into(), ..Authority::default() }),
            ..Circumstances::default()
        }),
        ..ImportManifestRequest::default()
    };
    let imported = centre.repatriation().import_manifest(centre.ask(request.clone())).await?.into_inner();
    ensure!((imported.rows, imported.accepted, imported.refused) == (17, 16, 1), "sixteen of seventeen rows are sound");
    let refused = imported.verdicts.iter().find(|verdict| !verdict.accepted).context("one row is faulty")?;
    narrator.tell(&format!(
        "17 rows: 16 arrivals, and line {} refused: {} in column {}",
        refused.line, refused.reason, refused.column
    ));
    let again = centre.repatriation().import_manifest(centre.ask(request)).await?.into_inner();
    ensure!(again.verdicts == imported.verdicts, "importing again said something else");
    let present =
        ListArrivalsRequest { page: Some(PageRequest { size: 200, token: String::new() }), present_only: true };
    let listed = centre.repatriation().list_arrivals(centre.ask(present)).await?.into_inner().arrivals.len();
    ensure!(listed == 16, "importing again made {listed} arrivals of 16");
    narrator.kept("Importing the same manifest again changes nothing");
    Ok(imported.verdicts.into_iter().filter(|verdict| verdict.accepted).map(|verdict| verdict.arrival_id).collect())
}

/// The register points at the man who is known; a person confirms it.
async fn link(centre: &Staff, narrator: &Narrator, known: &str, arrivals: &[String]) -> anyhow::Result<String> {
    let found = narrator
        .until("the register to notice who is known already", async || {
            for case in arrivals {
                let summary = match centre.case(case, "").await {
                    Ok(response) => response.summary.unwrap_or_default(),
                    Err(status) if status.code() == tonic::Code::NotFound => return Ok(None),
                    Err(status) => return Err(status),
                };
                if summary.possible_duplicate_case_ids.iter().any(|other| other == known) {
                    return Ok(Some((case.clone(), summary.case_number)));
                }
            }
            Ok(None)
        })
        .await?;
    let (case, number) = found;
    let request =
        LinkCasesRequest { case_id: case.clone(), other_case_id: known.to_owned(), ..LinkCasesRequest::default() };
    centre.cases().link_cases(centre.ask(request)).await?;
    let linked = centre.case(known, "").await?.summary.unwrap_or_default().linked_case_ids;
    ensure!(linked.contains(&case), "the earlier case does not know of the link");
    narrator.kept(&format!("The man of case {number} has been here before; staff linked his two cases"));
    Ok(case)
}

/// Everybody is referred to whoever serves the place he comes from.
async fn refer(stage: &Stage, narrator: &Narrator, centre: &Staff, arrivals: &[String]) -> anyhow::Result<()> {
    let mut offers = Vec::new();
    for case in arrivals {
        once_known(narrator, "the register to hear of the arrival", async || centre.case(case, "").await).await?;
        centre.consent(case, ConsentBasis::Person).await.or_else(|status| {
            // Whose age is not known is protected like a child: somebody decides in his best interest.
            if reason(&status) == "CHILD_NEEDS_GUARDIAN" { Ok(()) } else { Err(status) }
        })?;
        let summary = centre.case(case, "").await?.summary.unwrap_or_default();
        if summary.age_band() != spean_contracts::vocabulary::v1::AgeBand::Adult {
            centre.consent(case, ConsentBasis::BestInterest).await?;
        }
        let home = if summary.home_place.is_empty() { "12".to_owned() } else { summary.home_place };
        let office = centre.who_serves(&home).await?.office.map(|office| office.office_id).unwrap_or_default();
        let offer = centre.offer(case, &office, HOMEWARDS).await?;
        offers.push((case.clone(), offer, office, home));
    }
    let mut provinces: Vec<_> = offers.iter().map(|(.., home)| place(home.get(..2).unwrap_or(home))).collect();
    provinces.sort();
    provinces.dedup();
    narrator.tell(&format!("Sixteen cases go to {} provinces: {}", provinces.len(), provinces.join(", ")));
    for (case, offer, office, _) in &offers {
        let receiver = stage.staff("s-01", office, &[Role::Caseworker, Role::Supervisor]).await?;
        answer(&receiver, narrator, offer).await?;
        held_by(&receiver, narrator, case).await?;
    }
    narrator.kept("Every one of the sixteen has been accepted, and each case has its certificate");
    Ok(())
}

async fn depart(
    centre: &Staff,
    narrator: &Narrator,
    arrivals: &[String],
    nights: &[String; 2],
    today: &str,
) -> anyhow::Result<()> {
    for arrival in arrivals {
        for night_of in nights {
            let night = RecordStayRequest { arrival_id: arrival.clone(), night_of: night_of.clone() };
            centre.repatriation().record_stay(centre.ask(night)).await?;
        }
        let departure = RecordDepartureRequest {
            arrival_id: arrival.clone(),
            kind: DepartureKind::HandedOver.into(),
            departed_on: today.to_owned(),
            ..RecordDepartureRequest::default()
        };
        let ask = || centre.ask(departure.clone());
        narrator
            .until("the centre's register to hear of the acceptance", async || {
                match centre.repatriation().record_departure(ask()).await {
                    Ok(_) => Ok(Some(())),
                    Err(status) if status.code() == tonic::Code::FailedPrecondition => Ok(None),
                    Err(status) => Err::<_, Status>(status),
                }
            })
            .await?;
    }
    let books = ReconcileArrivalsRequest { from: nights[0].clone(), to: today.to_owned() };
    let books = centre.repatriation().reconcile_arrivals(centre.ask(books)).await?.into_inner();
    ensure!(
        books.arrived == books.present + books.handed_over + books.own_will && books.handed_over == 16,
        "the centre's books do not balance"
    );
    narrator.kept(&format!(
        "{} arrived = {} here + {} handed over + {} left of their own will; {} nights",
        books.arrived, books.present, books.handed_over, books.own_will, books.bed_nights
    ));
    Ok(())
}
