//! The register of people through running programs: nobody is dropped for what is not known of them, whoever is registered
//! twice is found again, and what is known goes along to the next holder.

use spean::demonstration::agencies::{KANDAL, RATANAK_KIRI};
use spean::demonstration::staff::{Staff, new_id};
use spean::demonstration::stories::reason;
use spean_contracts::cases::v1::{
    Act, AddAttachmentRequest, AttachmentKind, Consent, ErasePersonRequest, Fact, GetCaseHistoryRequest, Holder,
    ListAttachmentsRequest, ListIncompleteFilesRequest, ListPossibleDuplicatesRequest, ListRaisedRisksRequest, Means,
    MediaType, MergeCasesRequest, RaiseRiskRequest, ReadAttachmentRequest, RecordConsentRequest, RecordFactRequest,
    RiskKind, RuleOutDuplicateRequest, Severity, UnmergeCasesRequest, WithdrawConsentRequest,
};
use spean_contracts::referral::v1::{OfferKind, OfferReferralRequest, OfferState, OpenDossierRequest};
use spean_contracts::vocabulary::v1::{Birth, ConsentBasis, Name, Need, Part, Person, Sex, Urgency, birth};
use spean_tests::{Canary, Desk, invented, network, open_case, settled};
use tonic::{Code, Status};

#[tokio::test]
async fn nobody_is_dropped_and_all_that_is_known_of_them_goes_along() {
    let network = network().await;
    let (sender, receiver) = (network.desk(RATANAK_KIRI), network.desk(KANDAL));
    somebody_of_whom_nothing_is_known_is_offered(&sender, &receiver).await;
    let (one, two) = a_name_in_the_other_script_is_found_and_judged(&sender).await;
    two_cases_of_one_person_are_merged_and_taken_apart(&sender, &one, &two).await;
    what_was_put_together_for_a_refused_offer_never_travels(&sender, &receiver).await;
    a_photograph_is_read_until_the_person_is_erased(&sender).await;
    facts_dangers_and_history_go_along(&sender, &receiver).await;
    settled(&network).await;
}

fn man(latin: Option<(&str, &str)>, khmer: Option<(&str, &str)>) -> Person {
    let name = |name: Option<(&str, &str)>| {
        name.map(|(family, given)| Name { family: family.to_owned(), given: given.to_owned() })
    };
    Person {
        latin_name: name(latin),
        khmer_name: name(khmer),
        sex: Sex::Male.into(),
        birth: Some(Birth { known: Some(birth::Known::Year(1981)) }),
        ..Person::default()
    }
}

async fn somebody_of_whom_nothing_is_known_is_offered(sender: &Desk, receiver: &Desk) {
    let case = new_id();
    let nobody = Person { sex: Sex::Unknown.into(), ..Person::default() };
    sender.ask("registering", async |staff: Staff| staff.register(&case, nobody.clone()).await).await;
    let known = sender.ask("the case", async |staff: Staff| staff.case(&case, "").await).await;
    assert_eq!(known.summary.expect("a summary").missing, ["name", "birth", "sex", "home_place"]);
    let refused = sender.staff().await.consent(&case, ConsentBasis::Person).await.expect_err("it may be a child");
    assert_eq!(reason(&refused), "CHILD_NEEDS_GUARDIAN");
    sender.ask("consent", async |staff: Staff| staff.consent(&case, ConsentBasis::BestInterest).await).await;
    let incomplete = sender
        .ask("incomplete files", async |staff: Staff| {
            let request = ListIncompleteFilesRequest { page: None, missing_for_days: 0 };
            Ok(staff.cases().list_incomplete_files(staff.ask(request)).await?.into_inner().files)
        })
        .await;
    assert_eq!((incomplete.len(), incomplete[0].case_id.as_str()), (1, case.as_str()));
    assert_eq!(incomplete[0].missing.len(), 9, "all but the consent: {incomplete:?}");
    let offer = sender.offer(&case, KANDAL).await;
    receiver
        .until("the offer", async |staff: Staff| Ok((staff.state(&offer).await? == OfferState::Offered).then_some(())))
        .await;
}

/// The same man, whose names were swapped and written in the other script; and a judgement that it is another after all.
async fn a_name_in_the_other_script_is_found_and_judged(desk: &Desk) -> (String, String) {
    let (first, second) = (new_id(), new_id());
    let latin = man(Some(("Kumru", "Ovloek")), None);
    desk.ask("registering", async |staff: Staff| staff.register(&first, latin.clone()).await).await;
    let khmer = man(None, Some(("ឪឡឹក", Canary::FAMILY_KHMER)));
    let found = desk.ask("registering", async |staff: Staff| staff.register(&second, khmer.clone()).await).await;
    let candidate = found.candidates.iter().find(|candidate| candidate.case_id == first).expect("he is found");
    assert!(candidate.reasons.contains(&"SWAPPED_NAME".to_owned()), "{candidate:?}");
    let listed = async |staff: &Staff| -> Result<Vec<String>, Status> {
        let request = ListPossibleDuplicatesRequest { page: None };
        let pairs = staff.cases().list_possible_duplicates(staff.ask(request)).await?.into_inner().pairs;
        Ok(pairs.into_iter().map(|pair| pair.case_id).collect())
    };
    desk.until("the pair to be pointed out", async |staff: Staff| {
        let pairs = listed(&staff).await?;
        Ok((pairs.contains(&first) && pairs.contains(&second)).then_some(()))
    })
    .await;
    let judgement =
        RuleOutDuplicateRequest { case_id: first.clone(), other_case_id: second.clone(), ruled_out_on: String::new() };
    desk.ask("judging", async |staff: Staff| staff.cases().rule_out_duplicate(staff.ask(judgement.clone())).await)
        .await;
    assert!(listed(&desk.staff().await).await.expect("it answers").is_empty(), "nobody has to look again");
    (first, second)
}

async fn two_cases_of_one_person_are_merged_and_taken_apart(desk: &Desk, known: &str, another: &str) {
    let double = open_case(desk, 7).await;
    let staff = desk.staff().await;
    let merge = async |case: &str, into: &str| {
        let merged_on = String::new();
        let request = MergeCasesRequest { case_id: case.to_owned(), into_case_id: into.to_owned(), merged_on };
        staff.cases().merge_cases(staff.ask(request)).await.map(drop)
    };
    let refused = merge(known, another).await.expect_err("they were judged to be two people");
    assert_eq!(reason(&refused), "JUDGED_ANOTHER_PERSON");
    let refused = merge(&double, &new_id()).await.expect_err("there is no such case");
    assert_eq!(refused.code(), Code::NotFound);
    merge(&double, known).await.expect("both are held here");
    let summary = staff.case(&double, "").await.expect("it stays readable").summary.expect("a summary");
    assert_eq!((summary.merged_into_case_id.as_str(), summary.standing.as_str()), (known, "HOLDS"));
    desk.until("the desk to refuse the merged case", async |staff: Staff| {
        match offer(&staff, &double).await {
            Err(refused) if reason(&refused) == "CASE_MERGED" => Ok(Some(())),
            // The desk has not heard of it yet; what it offered meanwhile it takes back.
            _ => Ok(None),
        }
    })
    .await;
    let unmerge = UnmergeCasesRequest { case_id: double.clone(), unmerged_on: String::new() };
    desk.ask("unmerging", async |staff: Staff| staff.cases().unmerge_cases(staff.ask(unmerge.clone())).await).await;
    let summary = staff.case(&double, "").await.expect("it answers").summary.expect("a summary");
    assert_eq!(summary.merged_into_case_id, "");
    desk.until("the desk to offer it again", async |staff: Staff| match offer(&staff, &double).await {
        Ok(()) => Ok(Some(())),
        Err(refused) if reason(&refused) == "CASE_MERGED" => Ok(None),
        Err(refused) => Err(refused),
    })
    .await;
}

async fn offer(staff: &Staff, case: &str) -> Result<(), Status> {
    staff.referral().offer_referral(staff.ask(transfer(case))).await.map(drop)
}

fn transfer(case: &str) -> OfferReferralRequest {
    OfferReferralRequest {
        offer_id: new_id(),
        case_id: case.to_owned(),
        to_office_id: KANDAL.to_owned(),
        kind: OfferKind::Transfer.into(),
        need: Need::ReintegrationFollowUp.into(),
        urgency: Urgency::Urgent.into(),
        ..OfferReferralRequest::default()
    }
}

/// An offer is refused after its file was put together. When it comes through at last, under the same id, less may travel.
async fn what_was_put_together_for_a_refused_offer_never_travels(sender: &Desk, receiver: &Desk) {
    let case = open_case(sender, 10).await;
    let first = sender.offer(&case, KANDAL).await;
    let second = OfferReferralRequest { note: "as things stood then".to_owned(), ..transfer(&case) };
    let staff = sender.staff().await;
    let refused = staff.referral().offer_referral(staff.ask(second.clone())).await.expect_err("one is open already");
    assert_eq!(reason(&refused), "TRANSFER_ALREADY_OPEN");

    let consents = staff.case(&case, "to see what she agreed to").await.expect("it answers").consents;
    let request = WithdrawConsentRequest {
        case_id: case.clone(),
        consent_id: consents[0].consent_id.clone(),
        withdrawn_on: String::new(),
    };
    sender
        .ask("her taking it back", async |staff: Staff| {
            staff.cases().withdraw_consent(staff.ask(request.clone())).await.map(drop)
        })
        .await;
    sender
        .until("the first offer to be taken back", async |staff: Staff| {
            Ok((staff.state(&first).await? == OfferState::Withdrawn).then_some(()))
        })
        .await;
    let narrow = Consent {
        consent_id: new_id(),
        basis: ConsentBasis::Person.into(),
        parts: vec![Part::Identity.into()],
        ..Consent::default()
    };
    let narrow = RecordConsentRequest { case_id: case.clone(), consent: Some(narrow) };
    sender
        .ask("what she agrees to now", async |staff: Staff| {
            staff.cases().record_consent(staff.ask(narrow.clone())).await.map(drop)
        })
        .await;
    let second = OfferReferralRequest { note: "as things stand".to_owned(), ..second };
    sender
        .until("the second offer", async |staff: Staff| {
            match staff.referral().offer_referral(staff.ask(second.clone())).await {
                Ok(_) => Ok(Some(())),
                Err(status) if reason(&status) == "CONSENT_MISSING" => Ok(None),
                Err(status) => Err(status),
            }
        })
        .await;
    receiver.accept(&second.offer_id).await;
    receiver.held(&case).await;
    let open = OpenDossierRequest { offer_id: second.offer_id.clone(), purpose: "to prepare the visit".to_owned() };
    let dossier = receiver
        .until("the file", async |staff: Staff| match staff.referral().open_dossier(staff.ask(open.clone())).await {
            Ok(dossier) => Ok(Some(dossier.into_inner())),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(status),
        })
        .await;
    let person = dossier.person.expect("who she is may travel");
    assert_eq!((dossier.note.as_str(), person.telephone.as_str()), ("as things stand", ""));
    assert_eq!((person.latin_name, person.narrative.as_str()), (invented(10).latin_name, ""));
}

async fn a_photograph_is_read_until_the_person_is_erased(desk: &Desk) {
    let (case, attachment) = (open_case(desk, 8).await, new_id());
    let staff = desk.staff().await;
    let mut photograph = b"\x89PNG\r\n\x1a\n".to_vec();
    photograph.resize(100_000, 7);
    let add = |content: Vec<u8>| AddAttachmentRequest {
        case_id: case.clone(),
        attachment_id: attachment.clone(),
        kind: AttachmentKind::Photograph.into(),
        content,
        made_on: String::new(),
    };
    let refused = staff.attachments().add_attachment(staff.ask(add(b"GIF89a".to_vec()))).await;
    assert_eq!(refused.expect_err("no such form is taken").code(), Code::InvalidArgument);
    let added = staff.attachments().add_attachment(staff.ask(add(photograph.clone()))).await;
    assert_eq!(added.expect("it is kept").into_inner().media_type(), MediaType::Png);
    let read = async || {
        let request = ReadAttachmentRequest {
            case_id: case.clone(),
            attachment_id: attachment.clone(),
            purpose: "to show it to the family".to_owned(),
        };
        staff.attachments().read_attachment(staff.ask(request)).await
    };
    assert!(read().await.expect("it is there").into_inner().content == photograph);
    let list = ListAttachmentsRequest { case_id: case.clone() };
    let listed = staff.attachments().list_attachments(staff.ask(list)).await.expect("it answers").into_inner();
    assert_eq!(listed.attachments.len(), 1);
    let erase = ErasePersonRequest { case_id: case.clone(), ground: "REQUEST_OF_PERSON".to_owned() };
    desk.ask("erasing", async |staff: Staff| staff.cases().erase_person(staff.ask(erase.clone())).await).await;
    assert_eq!(read().await.expect_err("it is gone with the person").code(), Code::NotFound);
}

async fn facts_dangers_and_history_go_along(sender: &Desk, receiver: &Desk) {
    let case = open_case(sender, 9).await;
    let fact = Fact {
        fact_id: new_id(),
        acts: vec![Act::Recruitment.into()],
        means: vec![Means::Deception.into()],
        countries: vec!["TH".to_owned()],
        ..Fact::default()
    };
    let fact = RecordFactRequest { case_id: case.clone(), fact: Some(fact) };
    sender.ask("a fact", async |staff: Staff| staff.cases().record_fact(staff.ask(fact.clone())).await).await;
    let risk = RaiseRiskRequest {
        case_id: case.clone(),
        risk_id: new_id(),
        kind: RiskKind::ExploiterNear.into(),
        severity: Severity::Acute.into(),
        raised_on: String::new(),
    };
    sender.ask("a danger", async |staff: Staff| staff.cases().raise_risk(staff.ask(risk.clone())).await).await;
    let raised = sender
        .ask("the dangers", async |staff: Staff| {
            let request = ListRaisedRisksRequest { page: None };
            Ok(staff.cases().list_raised_risks(staff.ask(request)).await?.into_inner().risks)
        })
        .await;
    assert_eq!((raised.len(), raised[0].case_id.as_str()), (1, case.as_str()));
    let handed = sender.offer(&case, KANDAL).await;
    receiver.accept(&handed).await;
    receiver.held(&case).await;

    let known = receiver
        .until("what the first holder knew", async |staff: Staff| {
            match staff.case(&case, "to prepare the first visit").await {
                Ok(known) => Ok((!known.history_sections.is_empty()).then_some(known)),
                Err(status) if status.code() == Code::NotFound => Ok(None),
                Err(status) => Err(status),
            }
        })
        .await;
    let section = known.history_sections.iter().find(|section| section.service == "cases").expect("the register's");
    assert_eq!(section.office_id, RATANAK_KIRI);
    for told in ["\"deception\"", "\"exploiter_near\"", "\"TH\"", "\"consents\""] {
        assert!(section.json.contains(told), "{told} is not in {}", section.json);
    }
    assert!(known.consents.is_empty() && known.facts.is_empty(), "what another office recorded is not ours");
    assert_eq!(known.person.expect("she is known").address, invented(9).address);

    // The register hears of the holders from the desk, by a letter of their own.
    let history = receiver
        .until("the history", async |staff: Staff| {
            let request = GetCaseHistoryRequest { case_id: case.clone(), page: None };
            let history = staff.cases().get_case_history(staff.ask(request)).await?.into_inner();
            Ok((history.holders.len() > 1).then_some(history))
        })
        .await;
    assert_eq!(history.entries.first().map(|entry| entry.what.as_str()), Some("RECEIVED"));
    let holds = |holder: &Holder| (holder.office_id.clone(), holder.held_until.is_none());
    let holders: Vec<_> = history.holders.iter().map(holds).collect();
    assert_eq!(holders, [(RATANAK_KIRI.to_owned(), false), (KANDAL.to_owned(), true)]);
}
