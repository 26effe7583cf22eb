//! Ratanak Kiri and Kandal: six girls far from home, two to a shelter, four to go home. Nobody goes home before an office
//! there has taken the follow-up, and silence is answered by the clock.

use anyhow::{bail, ensure};
use spean_contracts::cases::v1::CompleteReturnRequest;
use spean_contracts::followup::v1::PlanFollowUpRequest;
use spean_contracts::referral::v1::{OfferKind, OfferState, Worklist};
use spean_contracts::shelter::v1::{AdmitResidentRequest, DeclareCapacityRequest, Places};
use spean_contracts::vocabulary::v1::{ConsentBasis, Need, Sex, Urgency};
use spean_identity::Role;
use tonic::Status;

use super::{invented, once_known, reason};
use crate::demonstration::agencies::{KANDAL, KIEN_SVAY, RATANAK_KIRI, SHELTER};
use crate::demonstration::narrator::{Narrator, place};
use crate::demonstration::staff::{Asking, Staff, new_id};
use crate::demonstration::stage::Stage;

const HOME: Asking = Asking { kind: OfferKind::Transfer, need: Need::ReintegrationFollowUp, urgency: Urgency::Urgent };
const SHELTERED: Asking = Asking { kind: OfferKind::Transfer, need: Need::Shelter, urgency: Urgency::Emergency };

/// Invented girls: name in Khmer and Latin script, year of birth, home.
const GIRLS: [((&str, &str), i32, &str); 6] = [
    (("ចាន់ថា", "Chantha"), 2010, "080205"),
    (("ស្រីពេជ្រ", "Sreypich"), 2011, "081003"),
    (("បុប្ផា", "Bopha"), 2009, "080203"),
    (("មាលា", "Mealea"), 2012, "080204"),
    (("ដាវី", "Davy"), 2010, "081004"),
    (("រចនា", "Rachana"), 2008, "081005"),
];

/// Plays the story. Returns the cases.
pub async fn six_girls(stage: &Stage, narrator: &Narrator) -> anyhow::Result<Vec<String>> {
    narrator.chapter("Six girls from Kandal, found in Ratanak Kiri");
    let sender = stage.staff("rk-07", RATANAK_KIRI, &[Role::Caseworker]).await?;
    let cases = register(&sender, narrator).await?;
    let (to_shelter, homewards) = cases.split_at(2);
    shelter(stage, narrator, &sender, to_shelter).await?;
    let offers = offer_home(&sender, narrator, homewards).await?;
    let (answered, silent) = offers.split_at(2);
    accept_at_once(stage, narrator, &sender, answered).await?;
    escalate(stage, narrator, silent).await?;
    let sender = stage.staff("rk-07", RATANAK_KIRI, &[Role::Caseworker]).await?;
    go_home(stage, narrator, &sender, homewards).await?;
    Ok(cases)
}

async fn register(sender: &Staff, narrator: &Narrator) -> anyhow::Result<Vec<String>> {
    let mut cases = Vec::new();
    let mut numbers = Vec::new();
    for (name, born, home) in GIRLS {
        let case = new_id();
        let registered = sender.register(&case, invented(name, Sex::Female, born, home)).await?;
        sender.consent(&case, ConsentBasis::BestInterest).await?;
        numbers.push(registered.case_number);
        cases.push(case);
    }
    narrator.tell(&format!("The office in {} opens six cases:", place("16")));
    narrator.tell(&numbers.join("  "));
    Ok(cases)
}

async fn shelter(stage: &Stage, narrator: &Narrator, sender: &Staff, cases: &[String]) -> anyhow::Result<()> {
    let manager = stage.staff("hh-01", SHELTER, &[Role::ShelterManager, Role::Supervisor]).await?;
    let places = Places { sex: Sex::Female.into(), children: true, capacity_persons: 12, occupied_persons: 0 };
    let capacity = DeclareCapacityRequest { places: vec![places] };
    manager.shelter().declare_capacity(manager.ask(capacity)).await?;
    for case in cases {
        let offer = sender.offer(case, SHELTER, SHELTERED).await?;
        answer(&manager, narrator, &offer).await?;
        held_by(&manager, narrator, case).await?;
        let admission = AdmitResidentRequest {
            admission_id: new_id(),
            case_id: case.clone(),
            admitted_on: stage.clock().now().date_in_cambodia().to_string(),
            ..AdmitResidentRequest::default()
        };
        // What the desk knows, the shelter's own service hears a moment later.
        let admit = || manager.ask(admission.clone());
        narrator
            .until("the shelter's register to hear of the case", async || {
                match manager.shelter().admit_resident(admit()).await {
                    Ok(_) => Ok(Some(())),
                    Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
                    Err(status) => Err(status),
                }
            })
            .await?;
    }
    narrator.kept(&format!("Two are taken in by the House of Hope ផ្ទះសង្ឃឹម in {}", place("12")));
    Ok(())
}

async fn offer_home(
    sender: &Staff,
    narrator: &Narrator,
    cases: &[String],
) -> anyhow::Result<Vec<(String, String, String)>> {
    let mut offers = Vec::new();
    for (case, (_, _, home)) in cases.iter().zip(&GIRLS[2..]) {
        let serves = sender.who_serves(home).await?.office.map(|office| office.office_id).unwrap_or_default();
        let offer = sender.offer(case, &serves, HOME).await?;
        narrator.tell(&format!("Follow-up in {} is asked of {serves}", place(home)));
        offers.push((case.clone(), offer, serves));
    }
    for case in cases {
        match complete_return(sender, case).await {
            Err(status) if reason(&status) == "FOLLOW_UP_NOT_ACCEPTED" => {}
            other => bail!("a return was not refused as it should be: {other:?}"),
        }
    }
    narrator.kept("None of the four may be sent home yet: no office there has accepted");
    Ok(offers)
}

async fn accept_at_once(
    stage: &Stage,
    narrator: &Narrator,
    sender: &Staff,
    offers: &[(String, String, String)],
) -> anyhow::Result<()> {
    for (case, offer, office) in offers {
        let receiver = stage.staff("kd-21", office, &[Role::Caseworker]).await?;
        answer(&receiver, narrator, offer).await?;
        held_by(&receiver, narrator, case).await?;
        ensure!(!sender.holds(case).await?, "two offices hold one case");
        narrator.kept(&format!("{office} accepted; the certificate names it as the one holder"));
    }
    Ok(())
}

async fn escalate(stage: &Stage, narrator: &Narrator, offers: &[(String, String, String)]) -> anyhow::Result<()> {
    narrator.tell("Two districts say nothing. Three days pass, then three more …");
    stage.pass_time(100)?;
    let sender = stage.staff("rk-07", RATANAK_KIRI, &[Role::Caseworker]).await?;
    let province = stage.staff("kd-02", KANDAL, &[Role::Supervisor, Role::Caseworker]).await?;
    for (case, offer, office) in offers {
        until_state(&sender, narrator, offer, OfferState::Escalated).await?;
        let afresh = narrator
            .until("the offer to the office above", async || {
                let waiting = province.worklist(Worklist::ToAnswer).await?;
                Ok::<_, Status>(waiting.into_iter().find(|waiting| waiting.instead_of_offer_id == *offer))
            })
            .await?;
        narrator.tell(&format!("Silence of {office}: case {} now waits on the desk of {KANDAL}", afresh.case_number));
        province.accept(&afresh.offer_id).await?;
        held_by(&province, narrator, case).await?;
    }
    narrator.kept("The province took both: silence was seen, aged and acted on");
    Ok(())
}

async fn go_home(stage: &Stage, narrator: &Narrator, sender: &Staff, cases: &[String]) -> anyhow::Result<()> {
    let today = stage.clock().now().date_in_cambodia().to_string();
    let mut visits = 0;
    for case in cases {
        narrator
            .until("the register to hear that the follow-up is taken", async || {
                match complete_return(sender, case).await {
                    Ok(()) => Ok(Some(())),
                    Err(status) if reason(&status) == "FOLLOW_UP_NOT_ACCEPTED" => Ok(None),
                    Err(status) => Err(status),
                }
            })
            .await?;
        for office in [KIEN_SVAY, super::super::agencies::SAANG, KANDAL] {
            let worker = stage.staff("kd-21", office, &[Role::Caseworker]).await?;
            if worker.holds(case).await? {
                let plan = PlanFollowUpRequest { case_id: case.clone(), reintegrated_on: today.clone() };
                let begin = async || worker.followup().plan_follow_up(worker.ask(plan.clone())).await;
                let planned = once_known(narrator, "follow-up to hear of the case", begin).await?.into_inner();
                visits += planned.visits.len();
                let open = async || worker.case(case, "the first visit").await;
                let seen = once_known(narrator, "the register to hear of the case", open).await?;
                ensure!(seen.person.is_some_and(|person| person.khmer_name.is_some()), "the dossier did not arrive");
            }
        }
    }
    ensure!(visits == 48, "four plans of twelve visits, not {visits} visits");
    narrator.kept("All four are home; each has twelve visits planned by the office that holds her case");
    Ok(())
}

async fn complete_return(sender: &Staff, case: &str) -> Result<(), Status> {
    let request = CompleteReturnRequest { case_id: case.to_owned(), returned_on: String::new() };
    sender.cases().complete_return(sender.ask(request)).await?;
    Ok(())
}

/// Waits for an offer and says yes.
pub(super) async fn answer(receiver: &Staff, narrator: &Narrator, offer: &str) -> anyhow::Result<()> {
    until_state(receiver, narrator, offer, OfferState::Offered).await?;
    Ok(receiver.accept(offer).await?)
}

/// Waits until an offer stands so at an office.
pub(super) async fn until_state(
    staff: &Staff,
    narrator: &Narrator,
    offer: &str,
    state: OfferState,
) -> anyhow::Result<()> {
    let what = format!("the offer to be {} at {}", state.as_str_name(), staff.office());
    narrator.until(&what, async || Ok::<_, Status>((staff.state(offer).await? == state).then_some(()))).await
}

/// Waits until an office holds a case.
pub(super) async fn held_by(staff: &Staff, narrator: &Narrator, case: &str) -> anyhow::Result<()> {
    let what = format!("the certificate to arrive at {}", staff.office());
    narrator.until(&what, async || Ok::<_, Status>(staff.holds(case).await?.then_some(()))).await
}
