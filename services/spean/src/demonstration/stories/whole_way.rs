//! The whole way of one woman: from the border to a shelter, home to her province, a year of visits, and the end of her
//! case, which only the meeting of the province can decide, and only when nothing is left open.

use anyhow::{Context as _, ensure};
use spean_contracts::referral::v1::news::What;
use spean_contracts::referral::v1::{ListNewsRequest, OfferKind, Stage as CaseStage};
use spean_contracts::repatriation::v1::{
    Authority, AuthorityKind, Circumstances, DepartureKind, RecordDepartureRequest, RecordNeedsRequest,
    RecordStayRequest, RegisterArrivalRequest, Route,
};
use spean_contracts::shelter::v1::{
    AdmitResidentRequest, AssessFamilyRequest, DecideReintegrationRequest, DeclareCapacityRequest, ExitKind,
    ExitResidentRequest, FamilyAssessment, Home, Places, Recommendation, Reintegration,
};
use spean_contracts::vocabulary::v1::{ConsentBasis, Need, Sex, Urgency};
use spean_identity::Role;
use tonic::{Code, Status};

use super::six_girls::{answer, held_by};
use super::{invented, once_known, reason, year_at_home};
use crate::demonstration::agencies::{SHELTER, TRANSIT_CENTRE};
use crate::demonstration::narrator::{Narrator, place};
use crate::demonstration::staff::{Asking, Staff, new_id};
use crate::demonstration::stage::Stage;

/// Invented: name in Khmer and Latin script, year of birth, home.
const WOMAN: ((&str, &str), i32, &str) = (("ណារី", "Nary"), 1998, "080204");
const SHELTERED: Asking = Asking { kind: OfferKind::Transfer, need: Need::Shelter, urgency: Urgency::Emergency };
const HOME: Asking = Asking { kind: OfferKind::Transfer, need: Need::ReintegrationFollowUp, urgency: Urgency::Routine };
/// How long she stays in the shelter.
const STAY_DAYS: i64 = 60;

/// Plays the story. Returns the cases.
pub async fn whole_way(stage: &Stage, narrator: &Narrator) -> anyhow::Result<Vec<String>> {
    narrator.chapter("The whole way of one woman, from the border to the end of her case");
    let (case, number) = arrive(stage, narrator).await?;
    shelter(stage, narrator, &case, &number).await?;
    let district = go_home(stage, narrator, &case).await?;
    let need = year_at_home::visits(stage, narrator, &case, &district).await?;
    year_at_home::meetings(stage, narrator, &case, &district, &need).await?;
    hear_of_the_end(stage, narrator, &case).await?;
    Ok(vec![case])
}

fn today(stage: &Stage) -> String {
    stage.clock().now().date_in_cambodia().to_string()
}

/// She is handed over at the border, stays for a night, and goes on to whoever takes her in.
async fn arrive(stage: &Stage, narrator: &Narrator) -> anyhow::Result<(String, String)> {
    let intake = [Role::IntakeOfficer, Role::Caseworker, Role::Supervisor];
    let centre = stage.staff("ptc-11", TRANSIT_CENTRE, &intake).await?;
    let yesterday = stage.clock().now().date_in_cambodia().plus_days(-1).to_string();
    let (name, born, home) = WOMAN;
    let case = new_id();
    let arrival = RegisterArrivalRequest {
        arrival_id: case.clone(),
        person: Some(invented(name, Sex::Female, born, home)),
        circumstances: Some(Circumstances {
            route: Route::Deportation.into(),
            from_country: "TH".to_owned(),
            arrived_on: yesterday.clone(),
            authority: Some(Authority { kind: AuthorityKind::Immigration.into(), ..Authority::default() }),
            ..Circumstances::default()
        }),
        ..RegisterArrivalRequest::default()
    };
    centre.repatriation().register_arrival(centre.ask(arrival)).await?;
    let found = RecordNeedsRequest {
        arrival_id: case.clone(),
        needs: vec![Need::Shelter.into(), Need::Medical.into()],
        urgent_needs: vec![Need::Medical.into()],
        ..RecordNeedsRequest::default()
    };
    centre.repatriation().record_needs(centre.ask(found)).await?;
    let night = RecordStayRequest { arrival_id: case.clone(), night_of: yesterday };
    centre.repatriation().record_stay(centre.ask(night)).await?;
    let register = "the register to hear of the arrival";
    let known = once_known(narrator, register, async || centre.case(&case, "").await).await?;
    centre.consent(&case, ConsentBasis::Person).await?;
    let number = known.summary.unwrap_or_default().case_number;
    narrator.tell(&format!("Deported to {}: the transit centre opens case {number}", place("0110")));

    let offer = centre.offer(&case, SHELTER, SHELTERED).await?;
    let manager = stage.staff("hh-01", SHELTER, &[Role::ShelterManager, Role::Supervisor]).await?;
    answer(&manager, narrator, &offer).await?;
    held_by(&manager, narrator, &case).await?;
    let departure = RecordDepartureRequest {
        arrival_id: case.clone(),
        kind: DepartureKind::HandedOver.into(),
        to_office_id: SHELTER.to_owned(),
        ..RecordDepartureRequest::default()
    };
    once_heard(narrator, "the centre's register to hear of the acceptance", async || {
        centre.repatriation().record_departure(centre.ask(departure.clone())).await.map(drop)
    })
    .await?;
    narrator.kept("She does not leave the centre before the House of Hope ផ្ទះសង្ឃឹម holds her case");
    Ok((case, number))
}

async fn shelter(stage: &Stage, narrator: &Narrator, case: &str, number: &str) -> anyhow::Result<()> {
    let manager = stage.staff("hh-01", SHELTER, &[Role::ShelterManager, Role::Supervisor]).await?;
    let places =
        |children: bool| Places { sex: Sex::Female.into(), children, capacity_persons: 12, occupied_persons: 0 };
    let capacity = DeclareCapacityRequest { places: vec![places(true), places(false)] };
    manager.shelter().declare_capacity(manager.ask(capacity)).await?;
    let admission = AdmitResidentRequest {
        admission_id: case.to_owned(),
        case_id: case.to_owned(),
        admitted_on: today(stage),
        ..AdmitResidentRequest::default()
    };
    once_heard(narrator, "the shelter's register to hear of the case", async || {
        manager.shelter().admit_resident(manager.ask(admission.clone())).await.map(drop)
    })
    .await?;
    stage.pass_time(STAY_DAYS * 24)?;
    narrator.tell(&format!("{number} is taken in. {STAY_DAYS} days pass; she is well, and wants to go home."));
    let manager = stage.staff("hh-01", SHELTER, &[Role::ShelterManager, Role::Supervisor]).await?;
    let assessment = FamilyAssessment {
        assessment_id: new_id(),
        assessed_on: today(stage),
        recommendation: Recommendation::Return.into(),
        ..FamilyAssessment::default()
    };
    let assessed = AssessFamilyRequest {
        case_id: case.to_owned(),
        assessment: Some(assessment),
        ..AssessFamilyRequest::default()
    };
    manager.shelter().assess_family(manager.ask(assessed)).await?;
    let decision = Reintegration {
        decision_id: new_id(),
        decided_on: today(stage),
        home: Home::Family.into(),
        agreed_by: vec![ConsentBasis::Person.into()],
    };
    let decided = DecideReintegrationRequest { case_id: case.to_owned(), reintegration: Some(decision) };
    manager.shelter().decide_reintegration(manager.ask(decided)).await?;
    match exit(&manager, case, &today(stage)).await {
        Err(status) if reason(&status) == "FOLLOW_UP_NOT_ACCEPTED" => {}
        other => anyhow::bail!("an exit was not refused as it should be: {other:?}"),
    }
    narrator.kept("Decided with her; and still she may not leave: nobody at home has promised to visit her");
    Ok(())
}

async fn exit(manager: &Staff, stay: &str, on: &str) -> Result<(), Status> {
    let kind = ExitKind::Reintegrated.into();
    let request = ExitResidentRequest { admission_id: stay.to_owned(), kind, exited_on: on.to_owned() };
    manager.shelter().exit_resident(manager.ask(request)).await.map(drop)
}

/// The district of her home takes the case; then she leaves.
async fn go_home(stage: &Stage, narrator: &Narrator, case: &str) -> anyhow::Result<String> {
    let manager = stage.staff("hh-01", SHELTER, &[Role::ShelterManager, Role::Caseworker, Role::Supervisor]).await?;
    let (.., home) = WOMAN;
    let serving = manager.who_serves(home).await?.office.context("somebody serves her home")?;
    manager.consent(case, ConsentBasis::Person).await?;
    let offer = manager.offer(case, &serving.office_id, HOME).await?;
    let worker = stage.staff("kd-21", &serving.office_id, &[Role::Caseworker]).await?;
    answer(&worker, narrator, &offer).await?;
    held_by(&worker, narrator, case).await?;
    let on = today(stage);
    once_heard(narrator, "the shelter to hear of the acceptance", async || exit(&manager, case, &on).await).await?;
    ensure!(!manager.holds(case).await?, "two offices hold one case");
    narrator.kept(&format!("{} accepted; she goes home to {}", serving.office_id, place(home)));
    Ok(serving.office_id)
}

/// Everybody who helped her on the way hears how it ended.
async fn hear_of_the_end(stage: &Stage, narrator: &Narrator, case: &str) -> anyhow::Result<()> {
    for office in [SHELTER, TRANSIT_CENTRE] {
        let reader = stage.staff("s-02", office, &[Role::Caseworker]).await?;
        narrator
            .until("the news that her case is closed", async || {
                let asked = reader.ask(ListNewsRequest { include_read: true, page: None });
                let news = reader.reports().list_news(asked).await?.into_inner().news;
                let ended = |what: &Option<What>| *what == Some(What::Stage(CaseStage::Closed.into()));
                let heard = news.iter().any(|news| news.case_id == case && ended(&news.what));
                Ok::<_, Status>(heard.then_some(()))
            })
            .await?;
    }
    narrator.kept("The shelter and the transit centre, which helped her on the way, hear how it ended");
    Ok(())
}

/// Asks until one service has heard what another one knows: first of an offer, then of the acceptance, then of the
/// certificate.
pub(super) async fn once_heard<T>(
    narrator: &Narrator,
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<T, Status>,
) -> anyhow::Result<T> {
    let is_early =
        |status: &Status| matches!(status.code(), Code::NotFound | Code::PermissionDenied | Code::FailedPrecondition);
    let look = async || match ask().await {
        Ok(answer) => Ok(Some(answer)),
        Err(status) if is_early(&status) => Ok(None),
        Err(status) => Err(status),
    };
    narrator.until(what, look).await
}
